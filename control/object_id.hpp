// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace control {

// The name of a prefix or binding towards API clients: 128 random bits, written as 32 lower-case
// hex digits. A value type.
struct ObjectId {
  std::array<std::uint8_t, 16> bytes{};

  // From the kernel's random numbers. Throws std::system_error where there are none.
  [[nodiscard]] static ObjectId random();
  // 32 lower-case hex digits; nullopt for anything else.
  [[nodiscard]] static std::optional<ObjectId> parse(std::string_view text) noexcept;

  friend auto operator<=>(const ObjectId&, const ObjectId&) = default;
};

[[nodiscard]] std::string to_string(const ObjectId& id);

// Lower-case hex digits of any bytes.
[[nodiscard]] std::string hex_of(const std::uint8_t* bytes, std::size_t count);

}  // namespace control

// The bits are random: some of them are as good as a hash of all.
template <>
struct std::hash<control::ObjectId> {
  std::size_t operator()(const control::ObjectId& id) const noexcept {
    std::size_t some = 0;
    std::memcpy(&some, id.bytes.data(), sizeof some);
    return some;
  }
};
