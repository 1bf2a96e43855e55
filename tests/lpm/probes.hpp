// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "lpm/route_set.hpp"

// Addresses worth looking up. Computed byte by byte on the wire form, so that nothing here leans on
// the arithmetic that is being tested.
namespace probes {

template <class Address>
[[nodiscard]] bool bit_of(Address address, unsigned bit) {
  return (address.to_wire()[bit / 8] >> (7 - bit % 8) & 1) != 0;
}

template <class Address>
[[nodiscard]] Address with_bit_flipped(Address address, unsigned bit) {
  auto wire = address.to_wire();
  wire[bit / 8] = static_cast<std::uint8_t>(wire[bit / 8] ^ 1U << (7 - bit % 8));
  return Address::from_wire(wire.data());
}

// The address space wraps: all ones is followed by all zeros.
template <class Address>
[[nodiscard]] Address next(Address address) {
  auto wire = address.to_wire();
  for (std::size_t i = wire.size(); i-- > 0;)
    if (++wire[i] != 0) break;
  return Address::from_wire(wire.data());
}
template <class Address>
[[nodiscard]] Address previous(Address address) {
  auto wire = address.to_wire();
  for (std::size_t i = wire.size(); i-- > 0;)
    if (wire[i]-- != 0) break;
  return Address::from_wire(wire.data());
}

template <class Address>
[[nodiscard]] Address last_of(const lpm::Prefix<Address>& prefix) {
  Address last = prefix.network();
  for (unsigned bit = prefix.length(); bit < Address::kBits; ++bit)
    last = with_bit_flipped(last, bit);
  return last;
}

// The first and the last address of a block, and the ones just outside.
template <class Address>
[[nodiscard]] std::array<Address, 4> edges_of(const lpm::Prefix<Address>& prefix) {
  const Address first = prefix.network();
  const Address last = last_of(prefix);
  return {previous(first), first, last, next(last)};
}

template <class Address>
[[nodiscard]] std::vector<Address> edges_of(const lpm::RouteSet<Address>& routes) {
  std::vector<Address> all;
  for (const auto& [prefix, value] : routes)
    for (const Address edge : edges_of(prefix)) all.push_back(edge);
  return all;
}

template <class Address>
[[nodiscard]] Address random_address(std::mt19937_64& random) {
  std::array<std::uint8_t, Address::kBytes> wire;
  for (std::uint8_t& byte : wire) byte = static_cast<std::uint8_t>(random());
  return Address::from_wire(wire.data());
}

template <class Address>
[[nodiscard]] Address random_inside(const lpm::Prefix<Address>& prefix, std::mt19937_64& random) {
  Address address = prefix.network();
  for (unsigned bit = prefix.length(); bit < Address::kBits; ++bit)
    if (random() % 2 != 0) address = with_bit_flipped(address, bit);
  return address;
}

}  // namespace probes
