// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <rte_mbuf.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "bench/traffic.hpp"
#include "dataplane/dpdk/queue.hpp"

namespace bench {

// Packet buffers in memory, each in 2 KiB of its own as in a memory pool of a port, handed out
// again and again.
class Preloaded {
 public:
  // packets: there will be no more.
  explicit Preloaded(std::uint32_t packets) : memory_(std::size_t{packets} * kStride) {
    buffers_.reserve(packets);
  }
  explicit Preloaded(const Workload& workload) : Preloaded(workload.packets) {
    for (std::uint32_t i = 0; i < workload.packets; ++i)
      add({workload.frame(i), workload.frame_bytes});
  }

  void add(std::span<const std::uint8_t> frame) {
    rte_mbuf* const buffer = new (&memory_[buffers_.size() * kStride]) rte_mbuf{};
    buffer->buf_addr = buffer + 1;
    buffer->data_off = RTE_PKTMBUF_HEADROOM;
    buffer->nb_segs = 1;
    buffer->data_len = static_cast<std::uint16_t>(frame.size());
    buffer->pkt_len = static_cast<std::uint32_t>(frame.size());
    std::memcpy(rte_pktmbuf_mtod(buffer, void*), frame.data(), frame.size());
    buffers_.push_back(buffer);
  }

  dataplane::dpdk::Input input() {
    return {.receive =
                [](void* self, rte_mbuf** packets, std::uint16_t count) {
                  return static_cast<Preloaded*>(self)->receive(packets, count);
                },
            .queue = this,
            .port = {}};
  }

  std::uint16_t receive(rte_mbuf** packets, std::uint16_t count) {
    if (next_ + count > buffers_.size()) next_ = 0;
    std::copy_n(&buffers_[next_], count, packets);
    next_ += count;
    return count;
  }

 private:
  static constexpr std::size_t kStride = 2304 + 128;
  std::vector<std::uint8_t> memory_;
  std::vector<rte_mbuf*> buffers_;
  std::size_t next_ = 0;
};

// Adds what it is given to `packets`.
inline dataplane::dpdk::Output counting_output(std::uint64_t& packets) {
  return {.send =
              [](void* self, rte_mbuf**, std::uint16_t count) {
                *static_cast<std::uint64_t*>(self) += count;
                return count;
              },
          .queue = &packets};
}

}  // namespace bench
