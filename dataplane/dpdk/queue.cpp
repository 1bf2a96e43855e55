// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/dpdk/queue.hpp"

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

namespace dataplane::dpdk {

Input port_input(PortQueue& queue, const Port& port) noexcept {
  return {.receive =
              [](void* self, rte_mbuf** packets, std::uint16_t count) {
                const auto& from = *static_cast<const PortQueue*>(self);
                return rte_eth_rx_burst(from.port, from.queue, packets, count);
              },
          .queue = &queue,
          .port = port};
}

Output port_output(PortQueue& queue) noexcept {
  return {.send =
              [](void* self, rte_mbuf** packets, std::uint16_t count) {
                const auto& to = *static_cast<const PortQueue*>(self);
                return rte_eth_tx_burst(to.port, to.queue, packets, count);
              },
          .queue = &queue};
}

Input ring_input(rte_ring& ring, const Port& port) noexcept {
  return {.receive =
              [](void* self, rte_mbuf** packets, std::uint16_t count) {
                void** const objects = reinterpret_cast<void**>(packets);
                return static_cast<std::uint16_t>(
                    rte_ring_dequeue_burst(static_cast<rte_ring*>(self), objects, count, nullptr));
              },
          .queue = &ring,
          .port = port};
}

Output ring_output(rte_ring& ring) noexcept {
  return {.send =
              [](void* self, rte_mbuf** packets, std::uint16_t count) {
                void** const objects = reinterpret_cast<void**>(packets);
                return static_cast<std::uint16_t>(
                    rte_ring_enqueue_burst(static_cast<rte_ring*>(self), objects, count, nullptr));
              },
          .queue = &ring};
}

Output pool_output() noexcept {
  return {.send =
              [](void*, rte_mbuf** packets, std::uint16_t count) {
                rte_pktmbuf_free_bulk(packets, count);
                return count;
              },
          .queue = nullptr};
}

}  // namespace dataplane::dpdk
