// SPDX-License-Identifier: BSD-3-Clause
#include "control/replay/interruption.hpp"

#include <signal.h>

#include <atomic>

namespace control::replay {
namespace {

// A signal handler can reach nothing but static storage.
std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);

sigset_t interrupting_signals() noexcept {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

void handle_with(void (*handler)(int)) noexcept {
  struct sigaction action{};
  action.sa_handler = handler;  // without SA_RESTART: a read under way ends with EINTR
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

Interruption::Interruption() {
  interrupted = false;
  handle_with([](int) {
    interrupted.store(true, std::memory_order_relaxed);
    handle_with(SIG_DFL);  // a second one ends what hangs, a full pipe behind an output for example
  });
}

Interruption::~Interruption() {
  deliver_here();
  handle_with(SIG_DFL);
}

void Interruption::hold() noexcept {
  const sigset_t set = interrupting_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void Interruption::deliver_here() noexcept {
  const sigset_t set = interrupting_signals();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

const std::atomic<bool>& Interruption::requested() noexcept {
  return interrupted;
}

}  // namespace control::replay
