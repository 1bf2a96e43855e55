// SPDX-License-Identifier: BSD-3-Clause
#include "lpm/address.hpp"

#include <arpa/inet.h>

#include <algorithm>

namespace lpm {
namespace {

// inet_pton and inet_ntop of one family.
template <class Address, int kFamily>
std::optional<Address> parse(std::string_view text) {
  // inet_pton wants a terminated string: text that is too long for any address, or that has a
  // terminator of its own, must not reach it cut short.
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size() || text.contains('\0')) return std::nullopt;
  std::ranges::copy(text, terminated.begin());

  std::array<std::uint8_t, Address::kBytes> wire;
  if (inet_pton(kFamily, terminated.data(), wire.data()) != 1) return std::nullopt;
  return Address::from_wire(wire.data());
}

template <class Address, int kFamily>
std::string print(Address address) {
  const auto wire = address.to_wire();
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(kFamily, wire.data(), text.data(), text.size());
  return text.data();
}

}  // namespace

std::optional<Address4> parse_address4(std::string_view text) {
  return parse<Address4, AF_INET>(text);
}
std::optional<Address6> parse_address6(std::string_view text) {
  return parse<Address6, AF_INET6>(text);
}

std::string to_string(Address4 address) {
  return print<Address4, AF_INET>(address);
}
std::string to_string(Address6 address) {
  return print<Address6, AF_INET6>(address);
}

}  // namespace lpm
