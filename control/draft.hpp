// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "control/bindings.hpp"
#include "control/change.hpp"
#include "control/rules.hpp"
#include "control/violation.hpp"

namespace control {

// A binding that would exist after a change set.
struct Candidate {
  static constexpr std::size_t kUntouched = ~std::size_t{0};

  lpm::AnyPrefix cidr;
  std::optional<dataplane::Service> service;  // empty: unreadable, see Change::service
  std::size_t change = kUntouched;            // that added it or changed its service
  std::size_t added_by = kUntouched;          // change; kUntouched: was bound before
};
struct Removal {
  lpm::AnyPrefix cidr;
  std::size_t change = 0;
};

// One prefix as it would be after a change set.
struct Draft {
  lpm::AnyPrefix prefix;
  const Bindings* before = nullptr;  // null: was not onboarded. Owned by the BindingSet
  bool present = false;              // after the change set
  std::size_t added_by = 0;          // change; where present and not before
  // Sorted by CIDR, then untouched first, then by change. See Scope.
  std::vector<Candidate> candidates;
  // Bindings that a change took away, sorted by CIDR.
  std::vector<Removal> removals;
  // Sorted; what is different afterwards. Good where no rule is broken.
  std::vector<BindingChange> changes;
  std::size_t binding_count = 0;  // afterwards
};

// The changes of a change set that name one prefix: `indices` into `all`, ascending.
struct PrefixChanges {
  lpm::AnyPrefix prefix;
  std::span<const Change> all;
  std::span<const std::size_t> indices;
};

// Which of the bindings that were there before become candidates.
enum class Scope : std::uint8_t {
  all,
  affected,  // see affected.hpp
  // The first where most bindings are named anyhow, or go; else the second.
  cheaper,
};

// What these changes make of the prefix. Adds and removals of one CIDR cancel out whatever their
// order, so that "add the new, remove the old" is as good as the reverse; a cascade takes
// everything before it. Reports what names a thing that is not there, or adds a prefix that is; the
// state that results is for judge_bindings(), which finds the same in every scope. O(candidates +
// changes log changes); of `affected`, see there. before: null if the prefix is not onboarded;
// outlives the result.
[[nodiscard]] Draft make_draft(const PrefixChanges& changes, const Bindings* before,
                               const BindingRules& rules, Violations& violations,
                               Scope scope = Scope::cheaper);

}  // namespace control
