// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cstdint>

namespace control::replay {

// A bar on standard error for what takes longer than half a second; nothing where that is not a
// terminal. One thread.
class Progress {
 public:
  // total: bytes to come; 0: unknown, then bytes are shown instead of a share.
  explicit Progress(std::uint64_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Draws at most ten times a second; cheap otherwise.
  void show(std::uint64_t done);

 private:
  using Clock = std::chrono::steady_clock;

  std::uint64_t total_;
  bool on_terminal_;
  bool drawn_ = false;
  Clock::time_point next_;
};

}  // namespace control::replay
