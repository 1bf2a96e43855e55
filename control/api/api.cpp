// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/api.hpp"

#include <fmt/format.h>

#include <utility>

#include "control/api/body_file.hpp"
#include "control/quote.hpp"

namespace control::api {
namespace {

store::Micros wall_clock() {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

Response nobody() {
  return response_of(
      Error::of(401, Code::not_allowed, "no valid credentials: send Authorization: Bearer TOKEN"));
}

Response forbidden(Right right) {
  return response_of(Error::of(403, Code::not_allowed,
                               right == Right::write
                                   ? "this token may read, not write"
                                   : "tokens are made and revoked by the Unix socket alone"));
}

bool has(const Principal& principal, Right right) {
  return right == Right::read ||
         (right == Right::write ? principal.may_write : principal.may_administer);
}

State&& take_tokens(State&& state, Tokens& tokens) {
  tokens.set(state.tokens());
  return std::move(state);
}

}  // namespace

Api::Api(State&& state, store::Store& store, Steering& steering, Tokens& tokens, Hooks hooks,
         const ApiOptions& options)
    : tokens_(tokens),
      options_(options),
      rate_(options.requests_per_second),
      to_control_(hooks.to_control),
      engine_(take_tokens(std::move(state), tokens), store, steering,
              {.to_control = std::move(hooks.to_control),
               .answer = [this](Answer&& a, Reply&& r) { answer(std::move(a), std::move(r)); },
               .answered = [this] { send_some(); },
               .token = [this](const store::TokenRow& row) { tokens_.put(row); },
               .complain = std::move(hooks.complain),
               .now = wall_clock,
               .observer = hooks.observer},
              options.engine) {}

std::expected<Api::Admitted, Response> Api::admit(Request&& head, Clock::time_point now) {
  auto principal = tokens_.find(head);
  if (!principal) return std::unexpected(nobody());
  if (principal->token != 0 && !rate_.take(principal->token, now))
    return std::unexpected(
        response_of(Error::of(429, Code::rate_limited,
                              fmt::format("more than {} requests a second by this token",
                                          options_.requests_per_second))));
  auto found = route(head.method, head.target);
  if (!found) {
    Response response = response_of(found.error());
    if (response.status == 405) response.allowed_methods = allowed_methods(head.target);
    return std::unexpected(std::move(response));
  }
  if (!found->account.empty() && !principal->may_see(found->account))
    return std::unexpected(response_of(Error::of(
        404, Code::no_such_route, fmt::format("there is no account {}", quoted(found->account)))));
  if (!has(*principal, found->endpoint->right))
    return std::unexpected(forbidden(found->endpoint->right));
  const Operation operation = found->endpoint->operation;
  Job job{
      .route = std::move(*found), .principal = std::move(*principal), .request = std::move(head)};
  if (operation == Operation::import_state) return admit_import(std::move(job));
  return Admitted{.job = std::move(job),
                  .body_bytes_max = operation == Operation::apply_changes
                                        ? options_.change_set_bytes_max
                                        : options_.body_bytes_max};
}

std::expected<Api::Admitted, Response> Api::admit_import(Job&& job) {
  if (!import_turn_.expired())
    return std::unexpected(response_of(
        Error::of(503, Code::not_writable,
                  "another import is being received or carried out; try again when it is done")));
  job.turn = std::make_shared<int>();
  import_turn_ = job.turn;
  job.request.file = std::make_shared<BodyFile>(options_.body_directory);
  return Admitted{.job = std::move(job), .body_bytes_max = options_.import_bytes_max};
}

void Api::perform(Job&& job, Reply reply) {
  if (engine_.submit(job, reply)) return;
  reply(response_of(
      Error::of(503, Code::not_writable, "too many requests are waiting; try again later")));
}

void Api::answer(Answer&& answer, Reply&& reply) {
  if (answer.awaits <= engine_.active()) {
    outgoing_.push_back({std::move(answer.response), std::move(reply)});
    return;
  }
  waiters_.push_back({.generation = answer.awaits,
                      .until = Clock::now() + options_.grace_timeout,
                      .response = std::move(answer.response),
                      .reply = std::move(reply)});
}

void Api::set_active(std::uint64_t generation) {
  engine_.set_active(generation);
  for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
    if (waiter->generation > generation) {
      ++waiter;
      continue;
    }
    outgoing_.push_back({std::move(waiter->response), std::move(waiter->reply)});
    waiter = waiters_.erase(waiter);
  }
  send_some();
}

void Api::expire(Clock::time_point now) {
  while (!waiters_.empty() && waiters_.front().until <= now) {
    outgoing_.push_back({not_yet_in_force(), std::move(waiters_.front().reply)});
    waiters_.pop_front();
  }
  send_some();
}

// One reply costs the system calls of its connection, and there may be thousands at once.
void Api::send_some() {
  if (will_send_) return;
  const Clock::time_point end = Clock::now() + kSendTime;
  while (!outgoing_.empty() && Clock::now() < end) {
    Outgoing next = std::move(outgoing_.front());
    outgoing_.pop_front();
    next.reply(std::move(next.response));
  }
  if (outgoing_.empty()) return;
  will_send_ = true;
  to_control_([this] { send_rest(); });
}

void Api::send_rest() {
  will_send_ = false;
  send_some();
}

}  // namespace control::api
