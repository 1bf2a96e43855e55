// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>

namespace control::replay {

// Ctrl-C (SIGINT) and SIGTERM as a request to end with what was counted so far; a second one ends
// the process at once. From its making on, the signals wait until a thread asks for them, and that
// thread's blocking read is interrupted. One at a time in a process; made before other threads,
// which inherit the blocked signals.
class Interruption {
 public:
  Interruption();
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  // The calling thread is the one that gets the signals.
  static void deliver_here() noexcept;
  // Set when one of the signals came. Any thread.
  [[nodiscard]] static const std::atomic<bool>& requested() noexcept;
};

}  // namespace control::replay
