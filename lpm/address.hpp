// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

// IPv4 and IPv6 addresses as numbers. The byte order is part of the type: an Address4 or Address6
// is always in host order (its first bit on the wire is its highest bit), and the only ways between
// it and bytes on the wire are from_wire() and to_wire().
//
// Value types: freely copied, comparable (in the order of the address space), no allocation.
namespace lpm {

struct Address4 {
  static constexpr unsigned kBits = 32;
  static constexpr unsigned kBytes = 4;

  std::uint32_t bits = 0;

  // Reads kBytes bytes, at any alignment.
  [[nodiscard]] static Address4 from_wire(const std::uint8_t* bytes) noexcept {
    std::uint32_t big_endian = 0;
    std::memcpy(&big_endian, bytes, sizeof big_endian);
    return {__builtin_bswap32(big_endian)};
  }
  [[nodiscard]] std::array<std::uint8_t, kBytes> to_wire() const noexcept {
    return std::bit_cast<std::array<std::uint8_t, kBytes>>(__builtin_bswap32(bits));
  }

  // The first `length` bits of the address, the others zero. length: 0 to kBits.
  [[nodiscard]] constexpr Address4 masked(unsigned length) const noexcept {
    return {length == 0 ? 0 : bits & (~std::uint32_t{0} << (kBits - length))};
  }
  // `count` bits (1 to 32, offset + count may pass the end: zeros follow) from bit `offset` (0 to
  // kBits - 1, 0 is the highest), right-aligned.
  [[nodiscard]] constexpr std::uint32_t slice(unsigned offset, unsigned count) const noexcept {
    return (bits << offset) >> (32 - count);
  }

  friend constexpr auto operator<=>(const Address4&, const Address4&) = default;
};

struct Address6 {
  static constexpr unsigned kBits = 128;
  static constexpr unsigned kBytes = 16;

  std::uint64_t high = 0;  // the first 64 bits on the wire
  std::uint64_t low = 0;

  [[nodiscard]] static Address6 from_wire(const std::uint8_t* bytes) noexcept {
    std::array<std::uint64_t, 2> big_endian{};
    std::memcpy(big_endian.data(), bytes, sizeof big_endian);
    return {__builtin_bswap64(big_endian[0]), __builtin_bswap64(big_endian[1])};
  }
  [[nodiscard]] std::array<std::uint8_t, kBytes> to_wire() const noexcept {
    return std::bit_cast<std::array<std::uint8_t, kBytes>>(
        std::array{__builtin_bswap64(high), __builtin_bswap64(low)});
  }

  [[nodiscard]] constexpr Address6 masked(unsigned length) const noexcept {
    constexpr std::uint64_t kOnes = ~std::uint64_t{0};
    if (length == 0) return {};
    if (length <= 64) return {high & (kOnes << (64 - length)), 0};
    return {high, low & (kOnes << (128 - length))};
  }
  [[nodiscard]] constexpr std::uint32_t slice(unsigned offset, unsigned count) const noexcept {
    const std::uint64_t window = offset == 0   ? high
                                 : offset < 64 ? (high << offset) | (low >> (64 - offset))
                                               : low << (offset - 64);
    return static_cast<std::uint32_t>(window >> (64 - count));
  }

  friend constexpr auto operator<=>(const Address6&, const Address6&) = default;
};

// Strict: dotted quad without leading zeros (inet_pton), RFC 4291 text; nothing around it.
[[nodiscard]] std::optional<Address4> parse_address4(std::string_view text);
[[nodiscard]] std::optional<Address6> parse_address6(std::string_view text);

// Dotted quad; RFC 5952 as inet_ntop prints it.
[[nodiscard]] std::string to_string(Address4 address);
[[nodiscard]] std::string to_string(Address6 address);

}  // namespace lpm
