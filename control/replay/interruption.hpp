// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>

namespace control::replay {

// Ctrl-C (SIGINT) and SIGTERM as a request to end with what was counted so far; a second one ends
// the process at once. A blocking read of the thread that gets the signal is interrupted. One at a
// time in a process.
class Interruption {
 public:
  Interruption();
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  // From now on the signals wait until a thread asks for them. Called before other threads are
  // made, which inherit this.
  static void hold() noexcept;
  // The calling thread is the one that gets the signals.
  static void deliver_here() noexcept;
  // Set when one of the signals came. Any thread.
  [[nodiscard]] static const std::atomic<bool>& requested() noexcept;
};

}  // namespace control::replay
