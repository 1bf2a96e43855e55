// SPDX-License-Identifier: BSD-3-Clause
//
// Do two workers on two CPUs steer twice the packets of one? Each has its own packet buffers,
// filled before, its own outputs that count, and the table that they share; nobody makes packets.
// Windows in which a worker waited for its CPU (the kernel's schedstat) are dropped and counted.
//
// Windows take turns: the first CPU alone, the second alone, both. Prints JSON: million packets per
// second of each, medians, and the ratio of both to the mean of each alone, median of the turns.
#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <latch>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "bench/preloaded.hpp"
#include "bench/traffic.hpp"
#include "dataplane/dpdk/worker.hpp"

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kHot = 4096;
constexpr std::uint32_t kCold = 100'032;
constexpr std::chrono::milliseconds kWindow{8};
constexpr std::chrono::milliseconds kWarmUp{4};
constexpr std::chrono::microseconds kWaitMax{40};  // half a percent of a window

std::chrono::nanoseconds waited_for_cpu() {
  std::ifstream file("/proc/thread-self/schedstat");
  std::uint64_t ran = 0;
  std::uint64_t waited = 0;
  file >> ran >> waited;
  return std::chrono::nanoseconds(waited);
}

std::vector<unsigned> usable_cpus() {
  std::vector<unsigned> cpus;
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  return cpus;
}

struct Measured {
  double packets_per_second = 0;
  bool has_waited = false;
};

// A worker with its own packets.
class Lane {
 public:
  Lane(unsigned number, const bench::Workload& workload, dataplane::dpdk::Publisher& publisher,
       std::uint32_t bindings_max)
      : packets_(workload), worker_(number, wiring(), publisher, bindings_max) {}

  // On the calling thread, for the length of a window; both begin together.
  Measured steer(std::latch& begin) {
    worker_.reader().online();
    begin.arrive_and_wait();
    // Caches are warm, and a worker that began a little earlier is not alone in what is measured.
    const Clock::time_point warm = Clock::now() + kWarmUp;
    while (Clock::now() < warm) worker_.poll();
    const auto waited_before = waited_for_cpu();
    const Clock::time_point started = Clock::now();
    std::uint64_t steered = 0;
    Clock::time_point now = started;
    constexpr int kRoundsBetweenLooks = 16;
    while (now - started < kWindow) {
      for (int round = 0; round < kRoundsBetweenLooks; ++round) steered += worker_.poll();
      now = Clock::now();
    }
    worker_.reader().offline();
    return {.packets_per_second =
                static_cast<double>(steered) / std::chrono::duration<double>(now - started).count(),
            .has_waited = waited_for_cpu() - waited_before > kWaitMax};
  }

 private:
  dataplane::dpdk::Wiring wiring() {
    dataplane::dpdk::Wiring wiring;
    wiring.inputs.push_back(packets_.input());
    for (std::size_t outcome = 0; outcome < sent_.size(); ++outcome)
      wiring.outputs[outcome] = bench::counting_output(sent_[outcome]);
    return wiring;
  }

  bench::Preloaded packets_;
  alignas(64) std::array<std::uint64_t, dataplane::kOutcomes> sent_{};
  dataplane::dpdk::Worker worker_;
};

const std::array<std::vector<std::size_t>, 3> kModes{{{0}, {1}, {0, 1}}};

// The lanes of `which` at once, each on its own CPU: packets per second together.
Measured window(std::vector<std::unique_ptr<Lane>>& lanes, const std::vector<std::size_t>& which) {
  static const std::vector<unsigned> kUsable = usable_cpus();
  const std::array<unsigned, 2> cpus{kUsable.front(), kUsable.back()};
  std::latch begin(static_cast<std::ptrdiff_t>(which.size()));
  std::vector<Measured> measured(which.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < which.size(); ++i)
    threads.emplace_back([&, i] {
      cpu_set_t set;
      CPU_ZERO(&set);
      CPU_SET(cpus[which[i]], &set);
      pthread_setaffinity_np(pthread_self(), sizeof set, &set);
      measured[i] = lanes[which[i]]->steer(begin);
    });
  for (std::thread& thread : threads) thread.join();
  Measured sum;
  for (const Measured& one : measured) {
    sum.packets_per_second += one.packets_per_second;
    sum.has_waited = sum.has_waited || one.has_waited;
  }
  return sum;
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

// Two lanes on two CPUs, and what was measured of them.
class Pair {
 public:
  explicit Pair(std::vector<std::unique_ptr<Lane>> lanes) : lanes_(std::move(lanes)) {
    for (const auto& mode : kModes) window(lanes_, mode);
  }

  // One turn: each alone, then both.
  void measure() {
    std::array<Measured, kModes.size()> turn;
    for (std::size_t mode = 0; mode < kModes.size(); ++mode) {
      turn[mode] = window(lanes_, kModes[mode]);
      ++windows_;
      dropped_ += turn[mode].has_waited ? 1U : 0U;
      if (!turn[mode].has_waited) rates_[mode].push_back(turn[mode].packets_per_second);
    }
    if (std::ranges::none_of(turn, &Measured::has_waited))
      ratios_.push_back(2 * turn[2].packets_per_second /
                        (turn[0].packets_per_second + turn[1].packets_per_second));
  }

  // Turns without waiting.
  [[nodiscard]] std::size_t turns() const { return ratios_.size(); }
  [[nodiscard]] std::string json() const {
    return fmt::format(
        R"("first_alone": {:.3f}, "second_alone": {:.3f}, "both": {:.3f}, "ratio": {:.4f}, )"
        R"("ratio_min": {:.4f}, "ratio_max": {:.4f}, "turns": {}, "windows": {}, "windows_dropped": {})",
        median(rates_[0]) / 1e6, median(rates_[1]) / 1e6, median(rates_[2]) / 1e6, median(ratios_),
        std::ranges::min(ratios_), std::ranges::max(ratios_), ratios_.size(), windows_, dropped_);
  }

 private:
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::array<std::vector<double>, kModes.size()> rates_;
  std::vector<double> ratios_;
  unsigned windows_ = 0;
  unsigned dropped_ = 0;
};

using Make = bench::Workload (*)(std::uint32_t, const dataplane::Settings&);

// Two workers as in one daemon, and two that share nothing at all, not even the table: what those
// lose is the machine's. False: too few windows were quiet.
bool report(std::string_view name, Make make, std::uint32_t packets, unsigned turns, bool is_last) {
  std::array<bench::Workload, 3> workloads{make(packets, {}), make(packets, {}), make(packets, {})};
  const std::uint32_t bindings_max = workloads[0].table->highest_binding();
  std::array<std::unique_ptr<dataplane::dpdk::Publisher>, 3> publishers;
  for (std::size_t i = 0; i < publishers.size(); ++i)
    publishers[i] = std::make_unique<dataplane::dpdk::Publisher>(2, std::move(workloads[i].table));
  const auto pair_of = [&](std::size_t first, std::size_t second) {
    std::vector<std::unique_ptr<Lane>> lanes;
    lanes.push_back(std::make_unique<Lane>(0, workloads[first], *publishers[first], bindings_max));
    lanes.push_back(
        std::make_unique<Lane>(1, workloads[second], *publishers[second], bindings_max));
    return lanes;
  };
  Pair together(pair_of(0, 0));
  Pair apart(pair_of(1, 2));
  const auto enough = [turns](const Pair& pair) { return pair.turns() >= turns; };
  constexpr unsigned kTurnsMaxFactor = 6;
  for (unsigned turn = 0; turn < kTurnsMaxFactor * turns && !(enough(together) && enough(apart));
       ++turn) {
    together.measure();
    apart.measure();
  }
  if (!enough(together) || !enough(apart)) {
    fmt::print(stderr,
               "workers_bench: {}: {} and {} turns of {} passed without waiting for a CPU\n", name,
               together.turns(), apart.turns(), kTurnsMaxFactor * turns);
    return false;
  }
  fmt::print("  {{\"case\": \"{}\", \"workers\": {{{}}}, \"apart\": {{{}}}}}{}\n", name,
             together.json(), apart.json(), is_last ? "" : ",");
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  unsigned turns = 40;
  if (argc == 2) {
    const std::string_view given = argv[1];
    std::from_chars(given.data(), given.data() + given.size(), turns);
  }
  if (usable_cpus().size() < 2) {
    std::fputs("workers_bench: needs two CPUs\n", stderr);
    return 77;
  }
  fmt::print("[\n");
  const bool is_done = report("v4/hot", bench::make_ipv4, kHot, turns, false) &&
                       report("v4/cold", bench::make_ipv4, kCold, turns, false) &&
                       report("v6/hot", bench::make_ipv6, kHot, turns, false) &&
                       report("v6/cold", bench::make_ipv6, kCold, turns, true);
  fmt::print("]\n");
  return is_done ? 0 : 1;
}
