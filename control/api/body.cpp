// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/body.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "control/quote.hpp"

namespace control::api {

void UniqueKeys::value(const JsonValue& value) {
  if (value.type == JsonType::object || value.type == JsonType::array) keys_.emplace_back();
  next_.value(value);
}

void UniqueKeys::end(const JsonPath& path) {
  keys_.pop_back();
  next_.end(path);
}

void UniqueKeys::key(const JsonValue& value) {
  if (!keys_.back().emplace(value.text).second && !twice_) twice_ = value.path.pointer();
  next_.key(value);
}

std::expected<void, Error> visit_unchecked(std::string_view text, JsonVisitor& visitor) {
  if (text.empty())
    return std::unexpected(
        Error::of(400, Code::malformed_body, "the body is empty; it must be JSON"));
  const auto broken = visit_json(text, visitor);
  if (!broken) return {};
  return std::unexpected(
      Error::of(400, Code::malformed_body,
                fmt::format("the body is not JSON: line {}, column {}: {}", broken->place.line,
                            broken->place.column, broken->message),
                broken->pointer));
}

std::expected<void, Error> visit_body(std::string_view text, JsonVisitor& visitor) {
  UniqueKeys unique(visitor);
  auto visited = visit_unchecked(text, unique);
  if (!unique.twice()) return visited;
  return std::unexpected(Error::of(400, Code::malformed_body,
                                   fmt::format("{} is given twice", *unique.twice()),
                                   *unique.twice()));
}

// The members of the outermost object.
class Body::Reader final : public JsonVisitor {
 public:
  explicit Reader(Body& body) : body_(body) {}

  void value(const JsonValue& value) override {
    if (depth_ == 0) is_object_ = value.type == JsonType::object;
    if (depth_ == 1 && is_object_)
      body_.members_[key_] = {value.type, std::string(value.text), value.whole};
    if (value.type == JsonType::object || value.type == JsonType::array) ++depth_;
  }
  void end(const JsonPath&) override { --depth_; }
  void key(const JsonValue& value) override {
    if (depth_ == 1) key_ = value.text;
  }
  [[nodiscard]] bool is_object() const noexcept { return is_object_; }

 private:
  Body& body_;
  std::string key_;
  std::size_t depth_ = 0;
  bool is_object_ = false;
};

std::expected<Body, Error> Body::parse(std::string_view text) {
  Body body;
  Reader reader(body);
  if (auto read = visit_body(text, reader); !read) return std::unexpected(read.error());
  if (!reader.is_object())
    return std::unexpected(Error::of(400, Code::malformed_body, "the body must be a JSON object"));
  return body;
}

bool Body::is_empty_text(std::string_view key) const {
  const auto found = members_.find(key);
  return found != members_.end() && found->second.type == JsonType::string &&
         found->second.text.empty();
}

void Body::refuse_others(std::initializer_list<std::string_view> known) {
  for (const auto& [key, member] : members_)
    if (std::ranges::find(known, key) == known.end())
      faults_.push_back(
          {Code::malformed_body, fmt::format("there is no member {} here", quoted(key))});
}

void Body::refuse(std::string_view key, std::string message) {
  faults_.push_back({Code::malformed_body, std::move(message), fmt::format("/{}", key)});
}

const Body::Member* Body::find(std::string_view key, bool is_required) {
  const auto found = members_.find(key);
  const bool is_there = found != members_.end() && found->second.type != JsonType::null;
  if (is_there) return &found->second;
  if (is_required) refuse(key, fmt::format("{} is missing", key));
  return nullptr;
}

std::string Body::required_text(std::string_view key) {
  const Member* const member = find(key, true);
  if (member == nullptr) return {};
  if (member->type == JsonType::string) return member->text;
  refuse(key, fmt::format("{} must be a string, not {}", key, name_of(member->type)));
  return {};
}

std::string Body::optional_text(std::string_view key) {
  return find(key, false) == nullptr ? std::string() : required_text(key);
}

std::uint32_t Body::required_whole(std::string_view key, std::uint32_t max) {
  const auto found = members_.find(key);
  if (found != members_.end() && found->second.type == JsonType::null) return 0;
  const Member* const member = find(key, true);
  if (member == nullptr) return 0;
  if (member->whole && *member->whole <= max) return static_cast<std::uint32_t>(*member->whole);
  refuse(key, fmt::format("{} must be a whole number from 0 to {}, or null{}", key, max,
                          member->type == JsonType::number
                              ? std::string()
                              : fmt::format(", not {}", name_of(member->type))));
  return 0;
}

std::uint64_t Body::required_number(std::string_view key) {
  const Member* const member = find(key, true);
  if (member == nullptr) return 0;
  if (member->whole) return *member->whole;
  refuse(key, fmt::format("{} must be a whole number", key));
  return 0;
}

void Body::optional_boolean(std::string_view key) {
  const Member* const member = find(key, false);
  if (member != nullptr && member->type != JsonType::boolean)
    refuse(key, fmt::format("{} must be true or false, not {}", key, name_of(member->type)));
}

}  // namespace control::api
