// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "control/api/body.hpp"

// The items of POST /steer/v1/changes as they are written: which members each has.
namespace control::api {

enum class Op : std::uint8_t { add_prefix, delete_prefix, create, remove, change, delete_where };

struct ChangeItem {
  struct Member {
    JsonType type = JsonType::null;
    std::string text;
    std::uint64_t whole = 0;
    bool is_whole = false;
    bool is_true = false;
  };
  std::map<std::string, Member, std::less<>> members;

  // Null: absent, or JSON's null.
  [[nodiscard]] const Member* find(std::string_view key) const;
};

// Calls `take` with each in its turn, so that a million of them are never there at once. 400 where
// the body is no object with the one member "changes", an array of one or more objects; some may
// have been taken by then.
[[nodiscard]] std::expected<void, Error> visit_items(
    std::string_view body, const std::function<void(const ChangeItem&)>& take);

}  // namespace control::api
