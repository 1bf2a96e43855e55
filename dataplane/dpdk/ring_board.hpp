// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

struct rte_mbuf;
struct rte_ring;

// Rings between steerd (a DPDK primary process) and the processes that serve a service (its
// secondaries). A secondary attaches to a dead primary without complaint, and a ring fills quietly
// when its consumer has died: so each side shows the other that it lives.
namespace dataplane::dpdk {

class RingError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Nobody who is alive is silent for longer.
inline constexpr std::uint64_t kSilenceMaxMs = 1000;

// A counter that somebody else moves, seen from here. Not thread safe.
class Heartbeat {
 public:
  // Whether it has moved within kSilenceMaxMs. beat: its value now; 0: never, or ended.
  [[nodiscard]] bool is_alive(std::uint64_t beat) noexcept;

 private:
  std::uint64_t last_ = 0;
  std::uint64_t moved_at_ = 0;  // ticks of the time-stamp counter
};

struct RingBoardMemory;

// steerd's side. One in a process; control thread.
class RingBoard {
 public:
  // Throws RingError.
  RingBoard();
  ~RingBoard();
  RingBoard(const RingBoard&) = delete;
  RingBoard& operator=(const RingBoard&) = delete;

  // A ring of this name, freed with the board. packets: a power of two. Throws RingError.
  rte_ring& make(const std::string& name, unsigned packets, bool many_producers);
  // Shows that this process lives; at least every 100 ms.
  void beat() noexcept;
  // Whether the ring has a consumer that lives. index: in the order of make().
  [[nodiscard]] bool has_consumer(std::size_t index) noexcept;
  [[nodiscard]] unsigned packets_in(std::size_t index) const noexcept;

 private:
  RingBoardMemory* memory_;
  std::vector<rte_ring*> rings_;
  std::vector<Heartbeat> consumers_;
};

// The side of a secondary process. One thread.
class RingConsumer {
 public:
  // Throws RingError: there is no such ring, it is served by a steerd of another version.
  explicit RingConsumer(const std::string& name);
  // The ring is without consumer from here on.
  ~RingConsumer();
  RingConsumer(const RingConsumer&) = delete;
  RingConsumer& operator=(const RingConsumer&) = delete;

  // At most `count` packets, which belong to the caller. To be called at least every 100 ms,
  // packets or not: it is the sign of life.
  std::uint16_t receive(rte_mbuf** packets, std::uint16_t count) noexcept;
  // False when steerd has been silent for kSilenceMaxMs: time to end, and to attach anew.
  [[nodiscard]] bool steerd_is_alive() noexcept;

 private:
  RingBoardMemory* memory_;
  rte_ring* ring_;
  std::size_t slot_ = 0;
  Heartbeat steerd_;
};

}  // namespace dataplane::dpdk
