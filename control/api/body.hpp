// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "control/api/error.hpp"
#include "control/located_json.hpp"

// Bodies of requests. JSON is read strictly: valid UTF-8 without lone surrogates, no key twice, no
// deeper than kJsonDepthMax, nothing behind it.
namespace control::api {

// Hands on what it is told, and notices keys that come twice in one object.
class UniqueKeys final : public JsonVisitor {
 public:
  explicit UniqueKeys(JsonVisitor& next) : next_(next) {}

  void value(const JsonValue& value) override;
  void end(const JsonPath& path) override;
  void key(const JsonValue& value) override;

  // The first one, as a pointer.
  [[nodiscard]] const std::optional<std::string>& twice() const noexcept { return twice_; }

 private:
  JsonVisitor& next_;
  std::vector<std::set<std::string, std::less<>>> keys_;  // of the containers that are open
  std::optional<std::string> twice_;
};

// Tells `visitor` what is in a body. An error (400, 1022) where it is not as strict as said above;
// the visitor has been told part of it then.
[[nodiscard]] std::expected<void, Error> visit_body(std::string_view text, JsonVisitor& visitor);

// The same where the visitor itself notices keys that come twice.
[[nodiscard]] std::expected<void, Error> visit_unchecked(std::string_view text,
                                                         JsonVisitor& visitor);

// An object: its members, of which objects and arrays are known by their type alone.
class Body {
 public:
  [[nodiscard]] static std::expected<Body, Error> parse(std::string_view text);

  // Each notes a fault where the member is there, but not of this type; or required and absent.
  [[nodiscard]] std::string required_text(std::string_view key);
  // null is as good as absent.
  [[nodiscard]] std::string optional_text(std::string_view key);
  // 0 to max, or null, which is read as 0.
  [[nodiscard]] std::uint32_t required_whole(std::string_view key, std::uint32_t max);
  // 0 to 2^64 - 1.
  [[nodiscard]] std::uint64_t required_number(std::string_view key);
  void optional_boolean(std::string_view key);

  [[nodiscard]] bool is_empty_text(std::string_view key) const;
  // Each member but these is a fault.
  void refuse_others(std::initializer_list<std::string_view> known);
  void refuse(std::string_view key, std::string message);
  [[nodiscard]] bool has_faults() const noexcept { return !faults_.empty(); }
  // 400 with all faults noted so far.
  [[nodiscard]] Error error() const { return {400, faults_}; }

 private:
  struct Member {
    JsonType type = JsonType::null;
    std::string text;
    std::optional<std::uint64_t> whole;
  };
  class Reader;

  [[nodiscard]] const Member* find(std::string_view key, bool is_required);

  std::map<std::string, Member, std::less<>> members_;
  std::vector<Fault> faults_;
};

}  // namespace control::api
