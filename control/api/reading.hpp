// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "control/api/operations.hpp"

// Operations below /steer/v1 that read: what a token may see, and nothing of what it may not.
namespace control::api {

// GET /steer/v1/prefixes: all that there are. O(prefixes).
[[nodiscard]] Answer list_all_prefixes(const State& state, const Job& job);

// GET /steer/v1/bindings: those that fit all filters, in the order of the address space, page by
// page: a request looks at kScannedMax bindings at most. With `order` the busiest first: exactly,
// where there are no more to look at; else of those that were, and of the Observer's busiest.
[[nodiscard]] Answer list_all_bindings(const State& state, const Context& context, const Job& job);
inline constexpr std::size_t kScannedMax = 50'000;

// GET /steer/v1/explain: what happens to an address or a packet, and why.
[[nodiscard]] Answer explain_address(const State& state, const Context& context, const Job& job);

// GET /steer/v1/counters: what all workers and ports have counted.
[[nodiscard]] Answer show_counters(const State& state, const Context& context, const Job& job);

// GET /steer/v1/export: the whole state as a bindings file, without envelope. O(bindings).
[[nodiscard]] Answer export_state(const State& state, const Job& job);

}  // namespace control::api
