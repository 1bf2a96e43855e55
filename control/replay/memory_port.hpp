// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <rte_mbuf.h>

#include <array>
#include <atomic>
#include <cstdint>

#include "control/replay/block.hpp"
#include "dataplane/counters.hpp"
#include "dataplane/dpdk/worker.hpp"

namespace control::replay {

// Stands where a NIC stands in the daemon: feeds one worker from blocks in memory, and takes in
// what it sends. Everything here but the constructor runs on the worker's thread.
//
// A packet's bytes stay in their block; the worker gets packet buffers that point there. Buffers
// are those of one burst, used again for the next, since outputs here keep nothing.
class MemoryPort {
 public:
  // full: blocks to replay, ended by null. done: gets each block back after its last packet was
  // sent. record: whether decisions and outcomes are written into the blocks.
  MemoryPort(BlockQueue& full, BlockQueue& done, bool record);

  // For the worker: an input for each direction, an output for each service and for drops.
  [[nodiscard]] dataplane::dpdk::Wiring wiring();
  // Set when the blocks have ended: the worker's signal to stop.
  [[nodiscard]] const std::atomic<bool>& ended() const noexcept { return ended_; }

  // What arrived at the output of an outcome.
  [[nodiscard]] const dataplane::Volume& sent(dataplane::Outcome outcome) const noexcept {
    return sinks_[static_cast<std::size_t>(outcome)].volume;
  }

 private:
  struct Source {
    MemoryPort* port;
    dataplane::Direction direction;
  };
  struct Sink {
    MemoryPort* port;
    dataplane::Outcome outcome;
    dataplane::Volume volume;
  };

  std::uint16_t receive(dataplane::Direction direction, rte_mbuf** packets,
                        std::uint16_t count) noexcept;
  void take_in(Sink& sink, rte_mbuf* const* packets, std::uint16_t count) noexcept;
  void observe(const dataplane::Decision* decisions, std::uint16_t count) noexcept;
  // Gives back the block that is finished and waits for the next; false when there are no more.
  bool next_block() noexcept;

  BlockQueue& full_;
  BlockQueue& done_;
  bool record_;
  std::atomic<bool> ended_{false};

  Block* block_ = nullptr;
  Record* next_ = nullptr;     // the next packet of block_ to hand out
  std::size_t remaining_ = 0;  // how many of block_ are still to be handed out
  std::array<Record*, dataplane::kBurstMax> records_{};  // of the burst under way
  std::array<Source, 2> sources_;
  std::array<Sink, dataplane::kOutcomes> sinks_;
  std::array<rte_mbuf, dataplane::kBurstMax> buffers_;
};

}  // namespace control::replay
