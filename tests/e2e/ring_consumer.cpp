// SPDX-License-Identifier: BSD-3-Clause
//
// ring_consumer RING EAL-ARGUMENT...: drains a ring of steerd's, as the process behind a service
// does. Prints "draining", and at the end "N packets"; ends when it is told to, or when steerd has
// died.
#include <rte_eal.h>
#include <rte_mbuf.h>
#include <signal.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <ctime>
#include <exception>

#include "dataplane/dpdk/ring_board.hpp"

namespace {

std::atomic<bool> stop{false};

void drain(const char* name) {
  dataplane::dpdk::RingConsumer consumer(name);
  std::puts("draining");
  std::fflush(stdout);
  unsigned long packets = 0;
  bool has_begun = false;
  while (!stop) {
    std::array<rte_mbuf*, 32> burst{};
    const std::uint16_t count = consumer.receive(burst.data(), burst.size());
    rte_pktmbuf_free_bulk(burst.data(), count);
    packets += count;
    const bool is_alive = consumer.steerd_is_alive();
    has_begun = has_begun || is_alive;
    if (has_begun && !is_alive) {
      std::puts("steerd has died");
      break;
    }
    const timespec nap{.tv_sec = 0, .tv_nsec = 100'000};
    nanosleep(&nap, nullptr);
  }
  std::printf("%lu packets\n", packets);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  signal(SIGTERM, [](int) { stop = true; });
  const char* const ring = argv[1];
  argv[1] = argv[0];
  if (rte_eal_init(argc - 1, argv + 1) < 0) return 1;
  try {
    drain(ring);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ring_consumer: %s\n", error.what());
    return 1;
  }
  std::fflush(stdout);
  rte_eal_cleanup();
  return 0;
}
