// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstdint>

#include "dataplane/rewrite.hpp"

namespace dataplane::dpdk {

// What changes of an output while packets flow: whether it is up, and the address of its next hop.
// One word, so that a worker never sees half of a change.
//
// Writer: the control thread. Readers: workers, once for each group of packets.
class alignas(64) Condition {
 public:
  struct State {
    bool is_up = true;
    bool is_resolved = true;
    MacAddress next_hop{};
  };

  // Relaxed, both: nothing else is read because of it.
  void set(const State& state) noexcept {
    std::uint64_t word = 0;
    for (const std::uint8_t byte : state.next_hop) word = word << 8 | byte;
    word |= (state.is_up ? kUp : 0) | (state.is_resolved ? kResolved : 0);
    word_.store(word, std::memory_order_relaxed);
  }
  [[nodiscard]] State get() const noexcept {
    const std::uint64_t word = word_.load(std::memory_order_relaxed);
    State state{.is_up = (word & kUp) != 0, .is_resolved = (word & kResolved) != 0};
    for (unsigned i = 0; i < state.next_hop.size(); ++i)
      state.next_hop[i] = static_cast<std::uint8_t>(word >> (40 - 8 * i));
    return state;
  }

 private:
  static constexpr std::uint64_t kUp = std::uint64_t{1} << 62;
  static constexpr std::uint64_t kResolved = std::uint64_t{1} << 63;
  std::atomic<std::uint64_t> word_{kUp | kResolved};  // and the address in the low 48 bits
};

}  // namespace dataplane::dpdk
