// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/change_items.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "control/quote.hpp"

namespace control::api {
namespace {

// depth: 0 outside, 1 in the body, 2 in the list, 3 in an item, more in what has no place there.
class Reader final : public JsonVisitor {
 public:
  explicit Reader(const std::function<void(const ChangeItem&)>& take) : take_(take) {}

  void value(const JsonValue& value) override {
    switch (depth_) {
      case 0:
        expect(value, JsonType::object, "the body must be an object with the member changes");
        break;
      case 1:
        if (key_ == "changes") {
          has_list_ = true;
          expect(value, JsonType::array, "changes must be an array");
        } else {
          refuse(value.path, fmt::format("there is no member {} here", quoted(key_)));
        }
        break;
      case 2:
        ++count_;
        expect(value, JsonType::object, "a change must be an object");
        break;
      case 3:
        if (!fault_) add_member(value);
        break;
      default:
        break;
    }
    if (value.type == JsonType::object || value.type == JsonType::array) ++depth_;
  }
  void end(const JsonPath&) override {
    --depth_;
    if (depth_ != 2 || fault_) return;
    take_(item_);
    item_.members.clear();
  }
  void key(const JsonValue& value) override { key_ = value.text; }

  [[nodiscard]] std::expected<void, Error> finish() {
    if (!fault_ && count_ == 0)
      fault_ = Fault{Code::malformed_body,
                     has_list_ ? "changes must not be empty" : "changes is missing", "/changes"};
    if (fault_) return std::unexpected(Error{400, {*fault_}});
    return {};
  }

 private:
  void add_member(const JsonValue& value) {
    item_.members[key_] = {.type = value.type,
                           .text = std::string(value.text),
                           .whole = value.whole.value_or(0),
                           .is_whole = value.whole.has_value(),
                           .is_true = value.is_true};
  }
  bool expect(const JsonValue& value, JsonType type, std::string_view otherwise) {
    if (value.type == type) return true;
    refuse(value.path, fmt::format("{}, not {}", otherwise, name_of(value.type)));
    return false;
  }
  void refuse(const JsonPath& path, std::string message) {
    if (!fault_) fault_ = Fault{Code::malformed_body, std::move(message), path.pointer()};
  }

  const std::function<void(const ChangeItem&)>& take_;
  ChangeItem item_;
  std::size_t count_ = 0;
  std::string key_;
  std::size_t depth_ = 0;
  bool has_list_ = false;
  std::optional<Fault> fault_;  // the first; what follows is not looked at
};

}  // namespace

const ChangeItem::Member* ChangeItem::find(std::string_view key) const {
  const auto found = members.find(key);
  return found == members.end() || found->second.type == JsonType::null ? nullptr : &found->second;
}

std::expected<void, Error> visit_items(std::string_view body,
                                       const std::function<void(const ChangeItem&)>& take) {
  Reader reader(take);
  if (auto read = visit_body(body, reader); !read) return std::unexpected(read.error());
  return reader.finish();
}

}  // namespace control::api
