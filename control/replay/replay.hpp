// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "control/replay/block.hpp"
#include "control/replay/feeder.hpp"
#include "dataplane/counters.hpp"
#include "dataplane/dpdk/eal.hpp"
#include "dataplane/table.hpp"

namespace control::replay {

struct ReplayPlan {
  unsigned workers = 1;  // 1 to kWorkersMax, no more than EAL has worker lcores
  unsigned passes = 1;   // from 1
  // Gets each block after it was steered, in the order of the captures, once (of several passes the
  // first), on the calling thread. If it throws, the replay ends early and says so in the result.
  // Empty: decisions are not recorded, which is faster.
  std::function<void(const Block&)> steered;
  // Called now and then on the calling thread, with the bytes of captures read so far.
  std::function<void(std::uint64_t bytes_read)> progress;
  // Looked at between packets: whether to end early. Null: never.
  const std::atomic<bool>* interrupted = nullptr;
  // Called on the thread that reads the captures before it begins. The thread lives until the end
  // of the replay, so that signals which are delivered to it find it.
  std::function<void()> reader_starts = [] {};
};

inline constexpr unsigned kWorkersMax = 64;

// What happened, summed over the workers.
struct ReplayResult {
  std::uint64_t generation = 0;
  dataplane::Volume received;  // over all passes
  std::array<dataplane::Volume, dataplane::kVerdicts> verdicts{};
  std::vector<dataplane::Volume> bindings;  // by number of the binding; [0] means nothing
  // From the first packet read (of several passes: dealt from memory) to the last one sent.
  double seconds = 0;
  std::vector<std::string> errors;  // captures that broke off
  std::string output_error;         // what plan.steered threw, if anything
  bool was_interrupted = false;

  [[nodiscard]] dataplane::Volume of(dataplane::Outcome outcome) const noexcept;
};

// Replays captures through DPDK workers with the table given. Consumes the captures.
// Throws std::runtime_error if EAL has too few lcores, and std::logic_error if the balance does not
// hold: a packet without an outcome, or one that did not arrive where it was steered to.
[[nodiscard]] ReplayResult replay(dataplane::dpdk::Eal& eal,
                                  std::unique_ptr<const dataplane::Table> table,
                                  std::vector<DirectedCapture>& captures, const ReplayPlan& plan);

}  // namespace control::replay
