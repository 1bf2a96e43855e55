// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/dpdk/idler.hpp"

#include <rte_pause.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <stdexcept>
#include <string>

namespace dataplane::dpdk {
namespace {

// Long enough that a worker under load does not sleep between two bursts: each sleep costs a system
// call and a wake-up, some microseconds. A round without packets takes 50 to 200 ns.
constexpr unsigned kRoundsBeforeSleep = 200;
constexpr unsigned kRoundsBeforePause = 16;
constexpr unsigned kPauses = 32;  // of 20 to 140 cycles each
constexpr long kNapNs = 50'000;
constexpr int kSleepMaxMs = 100;

}  // namespace

Idler::Idler(Mode mode, const std::vector<int>& sockets, bool naps)
    : mode_(mode),
      naps_(naps),
      patience_(mode == Mode::pause ? kRoundsBeforePause : kRoundsBeforeSleep) {
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_ < 0) throw std::runtime_error(std::string("eventfd: ") + std::strerror(errno));
  for (const int socket : sockets) awaited_.push_back({socket, POLLIN, 0});
  awaited_.push_back({wake_, POLLIN, 0});
}

Idler::~Idler() {
  close(wake_);
}

void Idler::pause() const noexcept {
  if (mode_ != Mode::pause) return;
  for (unsigned i = 0; i < kPauses; ++i) rte_pause();
}

void Idler::sleep() noexcept {
  if (naps_) {
    // The kernel adds its timer slack, 50 us unless the process asks for less.
    const timespec nap{.tv_sec = 0, .tv_nsec = kNapNs};
    ppoll(awaited_.data(), awaited_.size(), &nap, nullptr);
    return;
  }
  ::poll(awaited_.data(), awaited_.size(), kSleepMaxMs);
}

void Idler::wake() const noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_, &one, sizeof one);
}

}  // namespace dataplane::dpdk
