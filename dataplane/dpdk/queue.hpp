// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "dataplane/dpdk/condition.hpp"
#include "dataplane/port.hpp"
#include "dataplane/rewrite.hpp"
#include "dataplane/too_big.hpp"

struct rte_mbuf;
struct rte_mempool;
struct rte_ring;

// What a worker takes packets from and hands them to. A pointer to a function, called once a burst,
// stands for the kind of queue: a queue of a DPDK port, an rte_ring, a capture in memory.
namespace dataplane::dpdk {

struct Output {
  // Takes the first packets of `packets`, as many as there is room for, and returns how many; the
  // others stay the worker's.
  std::uint16_t (*send)(void* queue, rte_mbuf** packets, std::uint16_t count) = nullptr;
  void* queue = nullptr;
  // Both outlive the worker. Null: always ready; byte for byte.
  const Condition* condition = nullptr;
  const Rewrite* rewrite = nullptr;
};

// How the senders of packets that are too big for their output are told so, where no kernel does.
struct Answering {
  rte_mempool* pool = nullptr;
  Output back;  // to where the packets come from; used by one worker
  OwnAddresses from;
};

struct Input {
  // Puts at most `count` packets into `packets`, which then belong to the worker; returns how many.
  // data_len of a first segment is what can be read of a packet, pkt_len its length on the wire.
  std::uint16_t (*receive)(void* queue, rte_mbuf** packets, std::uint16_t count) = nullptr;
  void* queue = nullptr;
  Port port;
  // Both outlive the worker. Null: nobody is answered; Outcome::kernel goes to Wiring's output.
  const Answering* answering = nullptr;
  const Output* kernel = nullptr;
};

// A queue of a started DPDK port, for one worker.
struct PortQueue {
  std::uint16_t port = 0;
  std::uint16_t queue = 0;
};
// `queue` outlives the result.
[[nodiscard]] Input port_input(PortQueue& queue, const Port& port) noexcept;
[[nodiscard]] Output port_output(PortQueue& queue) noexcept;

// `ring` outlives the result; its producer and consumer modes are the user's business.
[[nodiscard]] Input ring_input(rte_ring& ring, const Port& port) noexcept;
[[nodiscard]] Output ring_output(rte_ring& ring) noexcept;

// Gives packets back to their memory pools; has room for all. Where dropped packets go.
[[nodiscard]] Output pool_output() noexcept;

}  // namespace dataplane::dpdk
