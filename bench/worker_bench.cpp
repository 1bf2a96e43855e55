// SPDX-License-Identifier: BSD-3-Clause
//
// What does the worker cost a packet? Its own loop, fed with packet buffers that were filled before
// (no device, no allocation), into outputs that only count. Beside it, in the same run, the floor:
// a loop over the same buffers that reads each destination and counts.
//
// Hot: 4,096 packets, which stay in the cache. Cold: 100,000.
#include <benchmark/benchmark.h>
#include <rte_mbuf.h>

#include <array>
#include <string>
#include <utility>

#include "bench/preloaded.hpp"
#include "bench/traffic.hpp"
#include "dataplane/dpdk/worker.hpp"
#include "dataplane/parse.hpp"

namespace {

using bench::counting_output;

using Make = bench::Workload (*)(std::uint32_t, const dataplane::Settings&);

void worker(benchmark::State& state, Make make, std::uint32_t packets, bool narrow) {
  dataplane::Settings settings;
  if (narrow) {
    settings.cdn_accept = dataplane::Settings::CdnAccept::http;
    settings.spectrum_accept = dataplane::Settings::SpectrumAccept::tcp_udp;
  }
  bench::Workload workload = make(packets, settings);
  bench::Preloaded preloaded(workload);
  const std::uint32_t bindings_max = workload.table->highest_binding();
  dataplane::dpdk::Publisher publisher(1, std::move(workload.table));
  std::array<std::uint64_t, dataplane::kOutcomes> sent{};
  dataplane::dpdk::Wiring wiring;
  wiring.inputs.push_back(preloaded.input());
  for (std::size_t outcome = 0; outcome < sent.size(); ++outcome)
    wiring.outputs[outcome] = counting_output(sent[outcome]);
  dataplane::dpdk::Worker worker(0, std::move(wiring), publisher, bindings_max);
  worker.reader().online();
  std::size_t steered = 0;
  for ([[maybe_unused]] const auto& round : state) steered += worker.poll();
  worker.reader().offline();
  state.SetItemsProcessed(static_cast<std::int64_t>(steered));
  for (const auto outcome :
       {dataplane::Outcome::magic_transit, dataplane::Outcome::cdn, dataplane::Outcome::spectrum})
    state.counters[std::string(name_of(outcome))] =
        static_cast<double>(sent[static_cast<std::size_t>(outcome)]) / static_cast<double>(steered);
}

void floor_of(benchmark::State& state, Make make, std::uint32_t packets) {
  const bench::Workload workload = make(packets, {});
  bench::Preloaded preloaded(workload);
  std::array<rte_mbuf*, dataplane::kBurstMax> burst{};
  std::size_t read = 0;
  std::uint32_t sum = 0;
  for ([[maybe_unused]] const auto& round : state) {
    const std::uint16_t count = preloaded.receive(burst.data(), burst.size());
    for (std::uint16_t i = 0; i < count; ++i)
      sum += *rte_pktmbuf_mtod_offset(burst[i], const std::uint8_t*,
                                      dataplane::kEthernetBytes + dataplane::kIpv4Destination);
    benchmark::DoNotOptimize(sum);
    read += count;
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(read));
}

constexpr std::uint32_t kHot = 4096;
constexpr std::uint32_t kCold = 100'032;  // whole bursts

BENCHMARK_CAPTURE(floor_of, v4_hot, bench::make_ipv4, kHot)->Name("floor/v4/hot");
BENCHMARK_CAPTURE(worker, v4_hot, bench::make_ipv4, kHot, false)->Name("worker/v4/hot");
BENCHMARK_CAPTURE(worker, v4_hot_narrow, bench::make_ipv4, kHot, true)
    ->Name("worker/v4/hot/narrow");
BENCHMARK_CAPTURE(worker, v6_hot, bench::make_ipv6, kHot, false)->Name("worker/v6/hot");
BENCHMARK_CAPTURE(worker, v6_hot_narrow, bench::make_ipv6, kHot, true)
    ->Name("worker/v6/hot/narrow");
BENCHMARK_CAPTURE(floor_of, v4_cold, bench::make_ipv4, kCold)->Name("floor/v4/cold");
BENCHMARK_CAPTURE(worker, v4_cold, bench::make_ipv4, kCold, false)->Name("worker/v4/cold");
BENCHMARK_CAPTURE(worker, v6_cold, bench::make_ipv6, kCold, false)->Name("worker/v6/cold");

}  // namespace

BENCHMARK_MAIN();
