// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <compare>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <variant>

#include "lpm/address.hpp"

// CIDR blocks. A Prefix never has host bits set: the constructors see to it.
namespace lpm {

enum class PrefixError : std::uint8_t {
  malformed,            // not ADDRESS/LENGTH
  length_out_of_range,  // longer than the address
  host_bits_set,        // bits behind the length are not zero
};

template <class Address>
class Prefix {
 public:
  // 0.0.0.0/0 or ::/0
  constexpr Prefix() noexcept = default;

  // Refuses host bits and lengths over Address::kBits.
  [[nodiscard]] static constexpr std::expected<Prefix, PrefixError> make(Address network,
                                                                         unsigned length) noexcept {
    if (length > Address::kBits) return std::unexpected(PrefixError::length_out_of_range);
    if (network.masked(length) != network) return std::unexpected(PrefixError::host_bits_set);
    return Prefix(network, length);
  }
  // The block of `length` bits that contains `address`. length: 0 to Address::kBits.
  [[nodiscard]] static constexpr Prefix enclosing(Address address, unsigned length) noexcept {
    return Prefix(address.masked(length), length);
  }

  [[nodiscard]] constexpr Address network() const noexcept { return network_; }
  [[nodiscard]] constexpr unsigned length() const noexcept { return length_; }

  [[nodiscard]] constexpr bool contains(Address address) const noexcept {
    return address.masked(length_) == network_;
  }
  // True also for itself.
  [[nodiscard]] constexpr bool contains(const Prefix& other) const noexcept {
    return other.length_ >= length_ && contains(other.network_);
  }
  [[nodiscard]] constexpr bool overlaps(const Prefix& other) const noexcept {
    return contains(other) || other.contains(*this);
  }

  // By network, then by length: a block comes before everything inside it.
  friend constexpr auto operator<=>(const Prefix&, const Prefix&) = default;

 private:
  constexpr Prefix(Address network, unsigned length) noexcept
      : network_(network), length_(static_cast<std::uint8_t>(length)) {}

  Address network_{};
  std::uint8_t length_ = 0;
};

using Prefix4 = Prefix<Address4>;
using Prefix6 = Prefix<Address6>;
// All IPv4 blocks come before all IPv6 blocks.
using AnyPrefix = std::variant<Prefix4, Prefix6>;

// ADDRESS/LENGTH, strictly: no spaces, no signs, no leading zeros in the length.
[[nodiscard]] std::expected<AnyPrefix, PrefixError> parse_prefix(std::string_view text);
// The same, with host bits cleared instead of refused: what the writer probably meant.
[[nodiscard]] std::expected<AnyPrefix, PrefixError> parse_prefix_clearing_host_bits(
    std::string_view text);

[[nodiscard]] std::string to_string(const Prefix4& prefix);
[[nodiscard]] std::string to_string(const Prefix6& prefix);
[[nodiscard]] std::string to_string(const AnyPrefix& prefix);

}  // namespace lpm
