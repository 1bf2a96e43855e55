// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <random>
#include <vector>

#include "lpm/route_set.hpp"
#include "tests/lpm/probes.hpp"
#include "tests/support/seed.hpp"

// Random tables, and addresses that try them.
namespace random_routes {

// A few values make runs of equal ones; many tell every route from every other.
struct Shape {
  std::size_t routes;
  std::size_t values;
};

[[nodiscard]] inline lpm::Value random_value(Shape shape, std::mt19937_64& random) {
  // From both ends of the range: 1, 2, ... and 2^32 - 1, 2^32 - 2, ...
  const auto number = static_cast<lpm::Value>(support::random_below(random, shape.values));
  return number % 2 == 0 ? 1 + number / 2 : ~(number / 2);
}

// Any prefix of any length.
template <class Address>
[[nodiscard]] lpm::RouteSet<Address> scattered(Shape shape, std::mt19937_64& random) {
  lpm::RouteSet<Address> routes;
  while (routes.size() < shape.routes) {
    const unsigned length = support::random_below(random, Address::kBits + 1);
    routes.insert(lpm::Prefix<Address>::enclosing(probes::random_address<Address>(random), length),
                  random_value(shape, random));
  }
  return routes;
}

// What customers bring: prefixes close to each other (up to /24 or /48), bindings and above all
// host routes inside them.
template <class Address>
[[nodiscard]] lpm::RouteSet<Address> binding_shaped(Shape shape, std::mt19937_64& random) {
  using Prefix = lpm::Prefix<Address>;
  constexpr bool kIs4 = Address::kBits == 32;
  constexpr unsigned kShortest = kIs4 ? 16 : 32;
  constexpr unsigned kLongest = kIs4 ? 24 : 48;
  const auto region = Prefix::enclosing(probes::random_address<Address>(random), kIs4 ? 12 : 28);

  lpm::RouteSet<Address> routes;
  while (routes.size() < shape.routes) {
    const unsigned length = kShortest + support::random_below(random, kLongest - kShortest + 1);
    const auto onboarded = Prefix::enclosing(probes::random_inside(region, random), length);
    routes.insert(onboarded, random_value(shape, random));
    for (unsigned bindings = support::random_below(random, 16U); bindings > 0; --bindings) {
      const bool is_host_route = random() % 4 != 0;
      const unsigned binding_length =
          is_host_route ? Address::kBits
                        : length + support::random_below(random, Address::kBits - length + 1);
      routes.insert(Prefix::enclosing(probes::random_inside(onboarded, random), binding_length),
                    random_value(shape, random));
    }
  }
  return routes;
}

// The edges of every route, and as many addresses again inside routes and anywhere.
template <class Address>
[[nodiscard]] std::vector<Address> probes_of(const lpm::RouteSet<Address>& routes,
                                             std::mt19937_64& random) {
  std::vector<Address> addresses = probes::edges_of(routes);
  for (const auto& [prefix, value] : routes) {
    addresses.push_back(probes::random_inside(prefix, random));
    addresses.push_back(probes::random_address<Address>(random));
  }
  return addresses;
}

}  // namespace random_routes
