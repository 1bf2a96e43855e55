// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <random>
#include <vector>

#include "control/change.hpp"
#include "tests/control/change_text.hpp"
#include "tests/support/seed.hpp"

// Changes in a universe so small that they meet each other all the time.
namespace random_changes {

inline bool one_in(std::mt19937_64& random, unsigned count) {
  return support::random_below(random, count) == 0;
}

// Some overlap, some are too long or cannot be onboarded.
inline lpm::AnyPrefix prefix(std::mt19937_64& random) {
  static const std::array kPrefixes{
      change_text::cidr("203.0.112.0/23"),  change_text::cidr("203.0.113.0/24"),
      change_text::cidr("198.51.100.0/24"), change_text::cidr("198.51.100.0/25"),
      change_text::cidr("127.0.0.0/24"),    change_text::cidr("2001:db8::/47"),
      change_text::cidr("2001:db8:1::/48"), change_text::cidr("2001:db8:8::/48")};
  // The likely ones are valid together.
  static constexpr std::array<std::size_t, 3> kLikely{1, 2, 7};
  if (one_in(random, 6)) return kPrefixes[support::random_below(random, kPrefixes.size())];
  return kPrefixes[kLikely[support::random_below(random, kLikely.size())]];
}

// Inside `prefix` for the most part.
inline lpm::AnyPrefix cidr_in(const lpm::AnyPrefix& prefix, std::mt19937_64& random) {
  if (one_in(random, 40)) return change_text::cidr("192.0.2.1/32");
  return std::visit(
      [&]<class Address>(const lpm::Prefix<Address>& block) -> lpm::AnyPrefix {
        static constexpr std::array<unsigned, 6> kMore{0, 1, 2, 4, 7, Address::kBits};
        const unsigned more = kMore[support::random_below(random, kMore.size())];
        const unsigned length = std::min(block.length() + more, Address::kBits);
        Address address = block.network();
        const auto low = support::random_below(random, std::uint32_t{256});
        if constexpr (Address::kBits == 32)
          address.bits |= one_in(random, 2) ? low : low & 1;
        else if (one_in(random, 2))
          address.high |= low << 8;
        else
          address.low |= low & 1;
        return lpm::Prefix<Address>::enclosing(address, length);
      },
      prefix);
}

inline dataplane::Service service(std::mt19937_64& random) {
  return dataplane::kServices[support::random_below(random, dataplane::kServices.size())];
}

inline control::Change change(std::mt19937_64& random) {
  using control::Change;
  const lpm::AnyPrefix block = prefix(random);
  const Change::At at{block, cidr_in(block, random)};
  switch (support::random_below(random, 16U)) {
    case 0:
    case 1:
    case 2:
      return Change::add_prefix(block);
    case 3:
      return Change::remove_prefix(block, one_in(random, 2));
    case 4:
    case 5:
    case 6:
      return Change::remove_binding(at);
    case 7:
    case 8:
      return Change::change_service(at, service(random));
    default:
      return Change::add_binding(at, service(random));
  }
}

inline std::vector<control::Change> change_set(std::mt19937_64& random) {
  std::vector<control::Change> changes(one_in(random, 2) ? 1
                                                         : 2 + support::random_below(random, 3U));
  for (control::Change& one : changes) one = change(random);
  return changes;
}

}  // namespace random_changes
