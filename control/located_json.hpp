// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "control/json_path.hpp"

// JSON from untrusted files, with the place of everything in it.
namespace control {

// Where something starts in a text. Both count from 1, the column in bytes, as editors and
// compilers do; {0, 0}: nowhere in particular.
struct Place {
  std::uint32_t line = 0;
  std::uint32_t column = 0;

  friend auto operator<=>(const Place&, const Place&) = default;
};

enum class JsonType : std::uint8_t { object, array, string, number, boolean, null };
// "an object", "a number", ...
[[nodiscard]] std::string_view name_of(JsonType type) noexcept;

struct JsonValue {
  JsonType type;
  Place place;
  std::string_view text;                              // of a string, decoded; valid during the call
  const JsonPath& path;                               // leads to this value; valid during the call
  bool is_true = false;                               // of a boolean
  std::optional<std::uint64_t> whole = std::nullopt;  // of a number that is none below 0
};

// Is told what is in a text, in its order.
class JsonVisitor {
 public:
  JsonVisitor() = default;
  JsonVisitor(const JsonVisitor&) = delete;
  JsonVisitor& operator=(const JsonVisitor&) = delete;
  virtual ~JsonVisitor() = default;

  // A scalar, or the start of an object or array: its end follows after its members.
  virtual void value(const JsonValue& value) = 0;
  virtual void end(const JsonPath& path) = 0;
  // value.text: the key of the value that follows.
  virtual void key(const JsonValue& value) = 0;
};

inline constexpr std::size_t kJsonDepthMax = 32;

struct SyntaxError {
  Place place;
  std::string pointer;  // of the value in which the error lies
  std::string message;
};

// Reads one JSON text (RFC 8259; a byte order mark is skipped), strictly: nothing behind it, valid
// UTF-8 without lone surrogates, no NUL, depth at most kJsonDepthMax. Stops at the first error;
// what precedes it has been visited. text: under 4 GiB. O(text).
[[nodiscard]] std::optional<SyntaxError> visit_json(std::string_view text, JsonVisitor& visitor);

}  // namespace control
