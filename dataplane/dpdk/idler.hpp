// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <poll.h>

#include <cstdint>
#include <vector>

namespace dataplane::dpdk {

// What a worker does that finds no packets. One for each worker, used by its thread; wake() by any.
class Idler {
 public:
  enum class Mode : std::uint8_t {
    busy,   // polls on
    pause,  // the same, leaving the core's execution units to its other hardware thread
    sleep,  // waits until a packet comes
  };

  // sockets: descriptors that become readable when a packet comes (AF_XDP), of all inputs. naps:
  // some input has none; then sleep is at most 50 us at a time. Throws std::runtime_error.
  explicit Idler(Mode mode, const std::vector<int>& sockets = {}, bool naps = false);
  ~Idler();
  Idler(const Idler&) = delete;
  Idler& operator=(const Idler&) = delete;

  // Rounds without packets that a worker takes before it is idle.
  [[nodiscard]] unsigned patience() const noexcept { return patience_; }
  [[nodiscard]] bool sleeps() const noexcept { return mode_ == Mode::sleep; }
  void pause() const noexcept;
  // Returns when a packet has come, when woken, or after 100 ms at the latest.
  void sleep() noexcept;

  void wake() const noexcept;

 private:
  Mode mode_;
  bool naps_;
  unsigned patience_;
  int wake_ = -1;                // an eventfd
  std::vector<pollfd> awaited_;  // the sockets, and wake_
};

}  // namespace dataplane::dpdk
