// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "lpm/route_set.hpp"

namespace support {

// Longest-prefix match so simple that it is obviously right: the oracle of the tries. O(routes) a
// lookup.
template <class Address>
class LinearScan {
 public:
  LinearScan() = default;
  explicit LinearScan(const lpm::RouteSet<Address>& routes) {
    for (const auto& [prefix, value] : routes) insert(prefix, value);
  }

  // A prefix that was inserted before takes the new value.
  void insert(const lpm::Prefix<Address>& prefix, lpm::Value value) {
    routes_.push_back({prefix, value});
  }

  void remove(const lpm::Prefix<Address>& prefix) {
    std::erase_if(routes_, [&](const Route& route) { return route.prefix == prefix; });
  }

  [[nodiscard]] lpm::Value lookup(Address address) const {
    const Route* longest = nullptr;
    for (const Route& route : routes_) {
      if (!route.prefix.contains(address)) continue;
      if (longest == nullptr || route.prefix.length() >= longest->prefix.length()) longest = &route;
    }
    return longest == nullptr ? lpm::kNoMatch : longest->value;
  }

 private:
  struct Route {
    lpm::Prefix<Address> prefix;
    lpm::Value value;
  };
  std::vector<Route> routes_;
};

}  // namespace support
