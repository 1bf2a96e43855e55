// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/moved.hpp"

namespace control::api {

// What a change set comes to, whatever way it says it.
struct ChangeReport {
  enum class Kind : std::uint8_t {
    add_prefix,
    edit_prefix,  // who it belongs to, or what is said of it
    delete_prefix,
    create,
    remove,
    change,
  };
  struct Line {
    Kind kind = Kind::create;
    lpm::AnyPrefix cidr;
    lpm::AnyPrefix prefix;
    // Of a prefix: of its default binding.
    std::optional<dataplane::Service> before;
    std::optional<dataplane::Service> after;
  };
  static constexpr std::size_t kLinesMax = 1000;

  std::size_t prefixes_added = 0;
  std::size_t prefixes_deleted = 0;
  std::size_t bindings_created = 0;
  std::size_t bindings_deleted = 0;
  std::size_t bindings_changed = 0;
  Addresses moved;
  std::vector<Line> lines;  // prefixes, then bindings, each in the order of the address space
  std::size_t omitted = 0;  // lines beyond kLinesMax
  std::optional<std::string> guard_reason;  // what is taken for an accident
  bool is_refused_by_guard = false;         // else somebody said that it may be
};

struct ChangeResult {
  std::uint64_t generation = 0;
  bool is_active = false;
  bool is_dry_run = false;
};

// The `result` of whatever makes change sets below /steer/v1: changes, rollback, import.
[[nodiscard]] std::string change_result_json(const ChangeReport& report,
                                             const ChangeResult& result);

// How the guard's refusals end.
inline constexpr std::string_view kGuardOverride =
    "; to do it all the same send the header X-Steer-Allow: mass-change, or ?allow=mass-change";

}  // namespace control::api
