// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <expected>
#include <list>
#include <memory>
#include <string>
#include <utility>

#include "control/api/engine.hpp"
#include "control/api/rate.hpp"

namespace control::api {

struct ApiOptions {
  std::size_t body_bytes_max = std::size_t{1} << 20;
  std::size_t change_set_bytes_max = std::size_t{64} << 20;  // of POST /steer/v1/changes
  std::size_t import_bytes_max = std::size_t{2} << 30;       // of PUT /steer/v1/import
  // Where bodies of imports are kept while they are received and carried out.
  std::string body_directory = "/tmp";
  double requests_per_second = 1000;  // of a token
  std::chrono::milliseconds grace_timeout{1000};
  EngineLimits engine;
};

// The API without the protocol that carries it: lets requests in, has them carried out by the store
// thread, and keeps back replies until what they say is in force.
//
// Lives on the control thread; nothing here waits, and no callback takes longer than kSendTime and
// one reply: what more is to be sent has a callback of its own.
class Api {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kSendTime{4};

  struct Hooks {
    // As Engine's.
    std::function<void(std::function<void()>)> to_control;
    std::function<void(const std::string&)> complain;
    const Observer* observer = nullptr;
  };

  // All that is given outlives it. tokens: set to those of the state.
  Api(State&& state, store::Store& store, Steering& steering, Tokens& tokens, Hooks hooks,
      const ApiOptions& options);

  struct Admitted {
    Job job;  // but for the body, which goes into job.request.file where that is set
    std::size_t body_bytes_max;
  };
  // By the head of a request: 401, 403, 404, 405, 429, or what to read its body for. Also 503, for
  // an import while the job of another is there.
  [[nodiscard]] std::expected<Admitted, Response> admit(Request&& head, Clock::time_point now);
  void perform(Job&& job, Reply reply);

  // The body of a response that was sent: a large one takes its time to be freed.
  void discard(std::string&& body) {
    if (body.size() >= kDiscardedBytesMin) engine_.discard(std::move(body));
  }
  static constexpr std::size_t kDiscardedBytesMin = std::size_t{1} << 20;

  // Every worker has passed this generation.
  void set_active(std::uint64_t generation);
  // Answers who waited too long; to be called ten times a second or more.
  void expire(Clock::time_point now);
  void set_grace_timeout(std::chrono::milliseconds timeout) noexcept {
    options_.grace_timeout = timeout;
  }

  [[nodiscard]] Engine& engine() noexcept { return engine_; }

 private:
  struct Waiter {
    std::uint64_t generation;
    Clock::time_point until;
    Response response;
    Reply reply;
  };

  struct Outgoing {
    Response response;
    Reply reply;
  };

  [[nodiscard]] std::expected<Admitted, Response> admit_import(Job&& job);
  void answer(Answer&& answer, Reply&& reply);
  void send_some();
  void send_rest();

  Tokens& tokens_;
  ApiOptions options_;
  RateLimiter rate_;
  std::function<void(std::function<void()>)> to_control_;
  std::weak_ptr<const void> import_turn_;
  std::list<Waiter> waiters_;  // in the order of their time
  std::deque<Outgoing> outgoing_;
  bool will_send_ = false;  // send_rest() is to be called
  Engine engine_;           // the last, so that it ends first
};

}  // namespace control::api
