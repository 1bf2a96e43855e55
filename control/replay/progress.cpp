// SPDX-License-Identifier: BSD-3-Clause
#include "control/replay/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

namespace control::replay {
namespace {

constexpr std::chrono::milliseconds kFirst{500};
constexpr std::chrono::milliseconds kEvery{100};
constexpr std::size_t kBarColumns = 40;

// A terminal that went away must not end the replay.
void draw(const std::string& text) {
  std::fputs(text.c_str(), stderr);
}

}  // namespace

Progress::Progress(std::uint64_t total)
    : total_(total), on_terminal_(isatty(STDERR_FILENO) == 1), next_(Clock::now() + kFirst) {}

Progress::~Progress() {
  if (drawn_) draw("\r\033[K");
}

void Progress::show(std::uint64_t done) {
  if (!on_terminal_) return;
  const Clock::time_point now = Clock::now();
  if (now < next_) return;
  next_ = now + kEvery;
  drawn_ = true;
  const double mebibytes = static_cast<double>(done) / (1024.0 * 1024.0);
  if (total_ != 0 && done >= total_) {
    draw("\r\033[Kall read, replaying");
    return;
  }
  if (total_ == 0) {
    draw(fmt::format("\r\033[K{:.1f} MiB read", mebibytes));
    return;
  }
  const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total_));
  const auto filled = static_cast<std::size_t>(share * kBarColumns);
  draw(fmt::format("\r\033[K[{}{}] {:.0f} %, {:.1f} MiB read", std::string(filled, '#'),
                   std::string(kBarColumns - filled, '.'), share * 100, mebibytes));
}

}  // namespace control::replay
