// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/table.hpp"

#include <array>
#include <utility>

namespace dataplane {
namespace {

using Route4 = lpm::Route<lpm::Address4>;
using Route6 = lpm::Route<lpm::Address6>;

Route4 local(std::uint32_t network, unsigned length) {
  return {lpm::Prefix4::enclosing({network}, length), Match::kLocalScope};
}
Route6 local(lpm::Address6 network, unsigned length) {
  return {lpm::Prefix6::enclosing(network, length), Match::kLocalScope};
}

template <class Address>
lpm::RouteSet<Address> with(std::span<const lpm::Route<Address>> more,
                            lpm::RouteSet<Address> routes) {
  for (const auto& [prefix, value] : more) routes.insert(prefix, value);
  return routes;
}

}  // namespace

std::span<const Route4> local_scope4() {
  static const std::array kRoutes{
      local(0x7f000000, 8),   // loopback, RFC 1122 section 3.2.1.3
      local(0xa9fe0000, 16),  // link-local, RFC 3927
      local(0xe0000000, 4),   // multicast, RFC 5771
      local(0xffffffff, 32),  // limited broadcast, RFC 919
  };
  return kRoutes;
}

std::span<const Route6> local_scope6() {
  static const std::array kRoutes{
      local({0, 1}, 128),                  // loopback, RFC 4291 section 2.5.3
      local({0xfe80000000000000, 0}, 10),  // link-local, RFC 4291 section 2.5.6
      local({0xff00000000000000, 0}, 8),   // multicast, RFC 4291 section 2.7
  };
  return kRoutes;
}

Table::Table(std::uint64_t generation, std::shared_ptr<const Policy> policy, lpm::Trie4 trie4,
             lpm::Trie6 trie6, std::uint32_t highest_binding)
    : generation_(generation),
      highest_binding_(highest_binding),
      policy_(std::move(policy)),
      trie4_(std::move(trie4)),
      trie6_(std::move(trie6)) {}

Table::Table(std::uint64_t generation, std::shared_ptr<const Policy> policy, lpm::RouteSet4 routes4,
             lpm::RouteSet6 routes6, std::uint32_t highest_binding)
    : Table(generation, std::move(policy), lpm::Trie4(with(local_scope4(), std::move(routes4))),
            lpm::Trie6(with(local_scope6(), std::move(routes6))), highest_binding) {}

}  // namespace dataplane
