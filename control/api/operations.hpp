// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>

#include "control/api/message.hpp"
#include "control/api/observer.hpp"
#include "control/api/principal.hpp"
#include "control/api/route.hpp"
#include "control/api/shapes.hpp"
#include "control/api/state.hpp"

// What operations do to the state, and what they answer. No sockets, no threads, no clock.
namespace control::api {

// A request that was let in: who asks for what.
struct Job {
  Route route;
  Principal principal;
  Request request;
  // Of what is done one at a time: whose turn it is, until this is gone.
  std::shared_ptr<const void> turn = nullptr;
};

struct Answer {
  Response response;
  // The generation that has to be active before this is sent; 0: none. Where it is not in time, the
  // response is that of not_yet_in_force().
  std::uint64_t awaits = 0;
};

// Whether it overrides the guard: by the header X-Steer-Allow or the query parameter allow.
[[nodiscard]] bool may_mass_change(const Job& job);

// Whether its reply may be large: it goes with what there is.
[[nodiscard]] bool is_listing(Operation operation) noexcept;

[[nodiscard]] Response response_of(const Error& error);
// 503: what was asked for is durable, but a worker holds on to an older table.
[[nodiscard]] Response not_yet_in_force();

// What they read besides the state.
struct Context {
  Progress progress;
  store::Micros now = 0;
  store::Store* store = nullptr;  // for the history
  const Observer* observer = nullptr;
};

// Who a change is by.
[[nodiscard]] inline Author author_of(const Job& job, const Context& context) {
  return {.token = job.principal.token, .name = job.principal.name, .now = context.now};
}

// Carries it out, unless its token has been revoked since it was let in. State::is_changed()
// afterwards tells whether it has to be written.
[[nodiscard]] Answer carry_out(State& state, const Context& context, const Job& job);

// Those of steer itself, below /steer/v1.
[[nodiscard]] Answer carry_out_own(State& state, const Context& context, const Job& job);

}  // namespace control::api
