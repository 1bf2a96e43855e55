// SPDX-License-Identifier: BSD-3-Clause
#include "control/replay/replay.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <semaphore>
#include <stdexcept>
#include <thread>
#include <utility>

#include "control/replay/memory_port.hpp"
#include "dataplane/dpdk/publisher.hpp"
#include "dataplane/dpdk/worker.hpp"

namespace control::replay {
namespace {

using dataplane::Outcome;
using dataplane::Verdict;
using dataplane::Volume;

// One worker, with the port that feeds it and the queues of blocks on either side.
struct Lane {
  BlockQueue full;
  BlockQueue done;  // unused where blocks go straight back to the feeder
  MemoryPort port;
  dataplane::dpdk::Worker worker;
  std::binary_semaphore ended{0};

  // returns: where blocks go that nobody wants to see. Null: they go to `done`.
  Lane(unsigned number, BlockQueue* returns, dataplane::dpdk::Publisher& publisher,
       std::uint32_t bindings_max)
      : port(full, returns == nullptr ? done : *returns, returns == nullptr),
        worker(number, port.wiring(), publisher, bindings_max) {}

  void run() {
    worker.run(port.ended());
    done.push(nullptr);
    ended.release();
  }
};

void await_end(std::vector<std::unique_ptr<Lane>>& lanes, const Feeder& feeder,
               const ReplayPlan& plan) {
  constexpr std::chrono::milliseconds kProgressEvery{100};
  for (const std::unique_ptr<Lane>& lane : lanes)
    while (!lane->ended.try_acquire_for(kProgressEvery))
      if (plan.progress) plan.progress(feeder.bytes_read());
}

// Shows blocks in the order in which they were dealt, until the first lane that has ended. Returns
// what went wrong with showing them, if anything; the lanes are emptied all the same.
std::string collect(std::vector<std::unique_ptr<Lane>>& lanes, Feeder& feeder,
                    const std::vector<BlockQueue*>& returns, const ReplayPlan& plan) {
  std::string error;
  for (std::size_t k = 0;; ++k) {
    // Every pass begins with the first lane.
    const std::size_t lane =
        k % std::max<std::size_t>(feeder.first_pass_blocks(), 1) % lanes.size();
    Block* const block = lanes[lane]->done.pop();
    if (block == nullptr) return error;
    try {
      if (error.empty() && k < feeder.first_pass_blocks()) plan.steered(*block);
    } catch (const std::exception& failure) {
      error = failure.what();
      feeder.stop();
    }
    returns[lane]->push(block);
    if (plan.progress) plan.progress(feeder.bytes_read());
  }
}

void add(ReplayResult& result, const Lane& lane) {
  const dataplane::Counters& counters = lane.worker.counters();
  result.received += counters.received().read();
  std::array<Volume, dataplane::kOutcomes> counted{};
  for (std::size_t v = 0; v < dataplane::kVerdicts; ++v) {
    const auto verdict = static_cast<Verdict>(v);
    const Volume volume = counters.of(verdict).read();
    result.verdicts[v] += volume;
    counted[static_cast<std::size_t>(outcome_of(verdict))] += volume;
  }
  for (std::size_t outcome = 0; outcome < dataplane::kOutcomes; ++outcome)
    if (counted[outcome] != lane.port.sent(static_cast<Outcome>(outcome)))
      throw std::logic_error("internal error: packets counted for " +
                             std::string(name_of(static_cast<Outcome>(outcome))) +
                             " are not those that arrived there");
  for (std::uint32_t binding = 0; binding < result.bindings.size(); ++binding)
    result.bindings[binding] += counters.of_binding(binding).read();
}

void check_balance(const ReplayResult& result, const Volume& dealt) {
  Volume decided;
  for (const Volume& volume : result.verdicts) decided += volume;
  if (decided != result.received || result.received != dealt)
    throw std::logic_error("internal error: the sum of outcomes is not the packets read");
}

}  // namespace

Volume ReplayResult::of(Outcome outcome) const noexcept {
  Volume sum;
  for (std::size_t v = 0; v < verdicts.size(); ++v)
    if (outcome_of(static_cast<Verdict>(v)) == outcome) sum += verdicts[v];
  return sum;
}

ReplayResult replay(dataplane::dpdk::Eal& eal, std::unique_ptr<const dataplane::Table> table,
                    std::vector<DirectedCapture>& captures, const ReplayPlan& plan) {
  ReplayResult result;
  result.generation = table->generation();
  const std::uint32_t bindings_max = table->highest_binding();
  result.bindings.resize(std::size_t{bindings_max} + 1);
  dataplane::dpdk::Publisher publisher(plan.workers, std::move(table));

  // One pass: whoever is ready takes the next block that is free. Several: each lane keeps its own.
  std::vector<BlockQueue> queues(plan.passes > 1 ? plan.workers : 1);
  std::vector<BlockQueue*> returns;
  std::vector<std::unique_ptr<Lane>> lanes;
  std::vector<BlockQueue*> lane_queues;
  for (unsigned number = 0; number < plan.workers; ++number) {
    returns.push_back(&queues[number % queues.size()]);
    BlockQueue* const straight_back = plan.steered ? nullptr : returns.back();
    lanes.push_back(std::make_unique<Lane>(number, straight_back, publisher, bindings_max));
    lane_queues.push_back(&lanes.back()->full);
  }
  const std::atomic<bool> never{false};
  Feeder feeder(captures, lane_queues, returns, plan.passes,
                plan.interrupted == nullptr ? never : *plan.interrupted);

  auto launch = eal.launch(plan.workers, [&lanes](unsigned index) { lanes[index]->run(); });
  std::binary_semaphore collected{0};
  std::jthread reader([&] {
    plan.reader_starts();
    feeder.run();
    collected.acquire();
  });
  if (plan.steered)
    result.output_error = collect(lanes, feeder, returns, plan);
  else
    await_end(lanes, feeder, plan);
  const auto ended = std::chrono::steady_clock::now();
  collected.release();
  reader.join();
  launch.wait();

  result.seconds = std::chrono::duration<double>(ended - feeder.started()).count();
  result.errors = feeder.errors();
  result.was_interrupted = feeder.was_interrupted() && result.output_error.empty();
  for (const std::unique_ptr<Lane>& lane : lanes) add(result, *lane);
  check_balance(result, feeder.dealt());
  return result;
}

}  // namespace control::replay
