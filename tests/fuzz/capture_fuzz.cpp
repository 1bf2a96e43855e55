// SPDX-License-Identifier: BSD-3-Clause
//
// Any bytes as a capture file: libpcap, blocks, the worker's loop, the verdict file. Everything
// that steer-replay does between its command line and its report, on one thread.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "control/replay/feeder.hpp"
#include "control/replay/memory_port.hpp"
#include "control/replay/verdict_file.hpp"
#include "dataplane/dpdk/publisher.hpp"
#include "dataplane/dpdk/worker.hpp"
#include "tests/support/tables.hpp"

namespace {

using control::replay::Block;
using control::replay::BlockQueue;
using dataplane::Service;
using dataplane::Verdict;
using dataplane::Volume;

// Small enough for the blocks that a feeder starts with, as nobody gives them back before the end.
constexpr std::size_t kBytesMax = 32768;

std::unique_ptr<const dataplane::Table> make_table() {
  dataplane::Settings settings;
  settings.cdn_accept = dataplane::Settings::CdnAccept::http;
  settings.spectrum_accept = dataplane::Settings::SpectrumAccept::tcp_udp;
  return std::make_unique<const dataplane::Table>(support::table_of(
      {{"0.0.0.0/1", Service::cdn}, {"128.0.0.0/1", Service::spectrum}, {"::/0", Service::cdn}},
      settings));
}

std::vector<control::Binding> bindings() {
  const auto cidr = [](const char* text) { return lpm::parse_prefix(text).value(); };
  return {{},
          {cidr("0.0.0.0/1"), Service::cdn},
          {cidr("128.0.0.0/1"), Service::spectrum},
          {cidr("::/0"), Service::cdn}};
}

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > kBytesMax) return 0;
  std::vector<std::uint8_t> bytes(data, data + size);
  std::FILE* const file = fmemopen(bytes.data(), bytes.size(), "r");
  auto capture = control::replay::Capture::open(file, "fuzz");
  if (!capture) return 0;
  std::vector<control::replay::DirectedCapture> captures;
  captures.push_back({"fuzz", dataplane::Direction::ingress, std::move(*capture)});

  BlockQueue full;
  BlockQueue done;
  BlockQueue free;
  static const std::atomic<bool> kNever{false};
  control::replay::Feeder feeder(captures, {&full}, {&free}, 1, kNever);
  feeder.run();

  static dataplane::dpdk::Publisher publisher(1, make_table());
  control::replay::MemoryPort port(full, done, true);
  dataplane::dpdk::Worker worker(0, port.wiring(), publisher, 3);
  worker.run(port.ended());
  done.push(nullptr);

  static const std::vector<control::Binding> kByNumber = bindings();
  control::replay::VerdictFile verdicts("/dev/null", {"fuzz"}, kByNumber);
  std::uint64_t packets = 0;
  for (Block* block = done.pop(); block != nullptr; block = done.pop()) {
    verdicts.write(*block);
    packets += block->packets();
  }
  Volume sum;
  for (std::size_t v = 0; v < dataplane::kVerdicts; ++v)
    sum += worker.counters().of(static_cast<Verdict>(v)).read();
  require(packets == feeder.dealt().packets);
  require(sum == feeder.dealt());
  return 0;
}
