// SPDX-License-Identifier: BSD-3-Clause
#include "control/object_id.hpp"

#include <sys/random.h>

#include <cerrno>
#include <system_error>

namespace control {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

}  // namespace

ObjectId ObjectId::random() {
  ObjectId id;
  // Up to 256 bytes are never given in part.
  while (getrandom(id.bytes.data(), id.bytes.size(), 0) < 0)
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "getrandom");
  return id;
}

std::optional<ObjectId> ObjectId::parse(std::string_view text) noexcept {
  ObjectId id;
  if (text.size() != 2 * id.bytes.size()) return std::nullopt;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    const std::size_t high = kDigits.find(text[2 * i]);
    const std::size_t low = kDigits.find(text[2 * i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    id.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return id;
}

std::string hex_of(const std::uint8_t* bytes, std::size_t count) {
  std::string text;
  text.reserve(2 * count);
  for (std::size_t i = 0; i < count; ++i) {
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

std::string to_string(const ObjectId& id) {
  return hex_of(id.bytes.data(), id.bytes.size());
}

}  // namespace control
