// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>
#include <string>

#include "control/api/state.hpp"

// What a change set came to, as the history keeps it: one line for each thing, with what was
// before, so that it can be read and taken back.
//
//   +prefix 203.0.113.0/24
//   -prefix 203.0.113.0/24
//   +binding 203.0.113.1/32 cdn in 203.0.113.0/24
//   -binding 203.0.113.1/32 cdn in 203.0.113.0/24
//   =binding 203.0.113.1/32 cdn -> spectrum in 203.0.113.0/24
//   =prefix 203.0.113.0/24 described
//   =prefix 203.0.113.0/24 edited
//   allowed mass-change                      the guard was overridden
//   rollback to 17                           before all others
namespace control::api {

[[nodiscard]] std::string history_text(std::span<const NetChange> changes);

}  // namespace control::api
