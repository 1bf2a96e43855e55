// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "control/api/body.hpp"
#include "control/api/principal.hpp"
#include "control/api/state.hpp"

// The body of POST /steer/v1/changes, made into a change set.
namespace control::api {

struct ChangeSet {
  std::vector<Change> changes;
  State::Details details;
  // Of each change, the item of the body that it came from, and which member named its block.
  struct Origin {
    std::size_t item = 0;
    std::string_view name;  // "cidr", "id"; empty: found by a filter
  };
  std::vector<Origin> origins;  // as many as changes
};

// What the items mean in this state, for whoever asks: an object of another account is not there.
// An error has the faults of all items, at most kFaultsMax. O(n log n).
inline constexpr std::size_t kFaultsMax = 100;
[[nodiscard]] std::expected<ChangeSet, Error> read_change_set(std::string_view body,
                                                              const State& state,
                                                              const Principal& principal);

// Why the state refuses it, with pointers into the body.
[[nodiscard]] Error error_of(const std::vector<Violation>& violations, const ChangeSet& set,
                             const Principal& principal);

// Of a violation, as this principal may read it: one of one account is not told of others.
[[nodiscard]] std::string message_for(const Violation& violation, const Principal& principal);

}  // namespace control::api
