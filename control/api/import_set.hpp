// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>
#include <vector>

#include "control/api/error.hpp"
#include "control/api/principal.hpp"
#include "control/api/state.hpp"

// The body of PUT /steer/v1/import (see bindings_file.hpp), made into the change set that leads
// from the state to it.
namespace control::api {

struct ImportSet {
  // Only what is different.
  std::vector<Change> changes;
  State::Details details;
  // Of each change, the entry of the body that it came from.
  struct Origin {
    static constexpr std::uint32_t kNone = ~std::uint32_t{0};
    std::uint32_t prefix = kNone;   // none: from what the body does not name
    std::uint32_t binding = kNone;  // none: the prefix itself
  };
  std::vector<Origin> origins;  // as many as changes
};

// All that the token may see is to be as the body says; what others have stays. What the body does
// not say of a prefix that is there stays too, and so do the ids of whatever is there before and
// after. An error has the faults of all entries, at most kFaultsMax. O(n log n) for n bindings of
// the body and of the state; beside the result, what one prefix has is held at a time.
[[nodiscard]] std::expected<ImportSet, Error> read_import(std::string_view body, const State& state,
                                                          const Principal& principal);

// Why the state refuses it, with pointers into the body. Where the body alone breaks rules, these
// are named, as for a bindings file. As costly as reading it.
[[nodiscard]] Error error_of(const std::vector<Violation>& violations, const ImportSet& set,
                             std::string_view body, const State& state, const Principal& principal);

}  // namespace control::api
