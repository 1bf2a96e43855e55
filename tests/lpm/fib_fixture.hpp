// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lpm/fib.hpp"
#include "tests/lpm/every_form.hpp"
#include "tests/lpm/families.hpp"
#include "tests/lpm/probes.hpp"
#include "tests/support/linear_scan.hpp"
#include "tests/support/map_per_length.hpp"
#include "tests/support/seed.hpp"

// A Fib beside a set of routes that has the same changes.
template <class Address>
class FibTest : public testing::Test {
 protected:
  using Prefix = lpm::Prefix<Address>;
  using Change = lpm::Change<Address>;
  using Changes = std::vector<Change>;

  static constexpr bool kIs4 = Address::kBits == 32;
  static constexpr Address kFirst{};
  static inline const Address kLast = probes::previous(kFirst);

  [[nodiscard]] static Prefix host(Address address) {
    return Prefix::enclosing(address, Address::kBits);
  }
  [[nodiscard]] Address any_address() { return probes::random_address<Address>(random_); }
  [[nodiscard]] Prefix any_prefix() {
    return Prefix::enclosing(any_address(), support::random_below(random_, Address::kBits + 1));
  }

  // As many blocks of a length, one behind the other.
  [[nodiscard]] static std::vector<Prefix> row(Address first, unsigned length, std::size_t count) {
    std::vector<Prefix> blocks;
    for (; count > 0; --count) {
      blocks.push_back(Prefix::enclosing(first, length));
      first = probes::next(probes::last_of(blocks.back()));
    }
    return blocks;
  }
  // The same for all: 0 to remove them, or from `first_value` on, one more for each.
  [[nodiscard]] static Changes to(const std::vector<Prefix>& prefixes, lpm::Value first_value) {
    Changes changes;
    for (const Prefix& prefix : prefixes)
      changes.push_back({prefix, first_value == 0 ? 0 : first_value++});
    return changes;
  }

  static void make(lpm::RouteSet<Address>& routes, std::span<const Change> changes) {
    for (const auto& [prefix, value] : changes)
      if (value == lpm::kNoMatch)
        routes.remove(prefix);
      else
        routes.insert(prefix, value);
  }
  // All generations before are given up.
  void apply(std::span<const Change> changes) {
    ASSERT_TRUE(fib_.apply(changes).has_value());
    fib_.reclaim(fib_.generation() - 1);
    make(routes_, changes);
  }
  void apply(Change change) { apply(std::span(&change, 1)); }

  // Nothing is wrong inside, and it has these routes and no others.
  [[nodiscard]] static bool is_sound(const lpm::Fib<Address>& fib,
                                     const lpm::RouteSet<Address>& routes) {
    if (const auto wrong = fib.verify()) {
      ADD_FAILURE() << *wrong;
      return false;
    }
    const auto same = [](const lpm::Route<Address>& a, const auto& b) {
      return a.prefix == b.first && a.value == b.second;
    };
    if (fib.size() == routes.size() && std::ranges::equal(fib.routes(), routes, same)) return true;
    ADD_FAILURE() << fib.size() << " routes, " << routes.size() << " expected";
    return false;
  }

  // Sound, and right at the edges of these routes and of these prefixes, and at the ends of the
  // address space.
  [[nodiscard]] bool is_right(std::span<const Prefix> more) const {
    auto addresses = probes::edges_of(routes_);
    for (const Prefix& prefix : more)
      for (const Address edge : probes::edges_of(prefix)) addresses.push_back(edge);
    addresses.push_back(kFirst);
    addresses.push_back(kLast);
    return is_sound(fib_, routes_) && right_at(addresses);
  }
  [[nodiscard]] bool is_right(const Prefix& more = {}) const {
    return is_right(std::span(&more, 1));
  }
  // The scan for as long as it takes no time.
  [[nodiscard]] bool right_at(std::span<const Address> addresses) const {
    if (routes_.size() <= 1000)
      return every_form::agrees(fib_.current(), support::LinearScan(routes_), addresses);
    return every_form::agrees(fib_.current(), support::MapPerLength(routes_), addresses);
  }

  // Whether a table of IPv4 is small, or has dense nodes: where the memory goes tells.
  [[nodiscard]] bool has_part(std::string_view name) const {
    return std::ranges::any_of(fib_.memory_by_level(), [&](const lpm::MemoryPart& part) {
      return part.name.contains(name) && part.bytes != 0;
    });
  }

  std::mt19937_64 random_ = support::seeded_random();
  // Tables of both forms, without many routes.
  static constexpr std::size_t kSmallNodesMax = 1024;
  lpm::Fib<Address> fib_{lpm::transparent_huge_pages(), kSmallNodesMax};
  lpm::RouteSet<Address> routes_;
};
