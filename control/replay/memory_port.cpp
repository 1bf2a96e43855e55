// SPDX-License-Identifier: BSD-3-Clause
#include "control/replay/memory_port.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace control::replay {

using dataplane::Decision;
using dataplane::Direction;
using dataplane::Outcome;

MemoryPort::MemoryPort(BlockQueue& full, BlockQueue& done, bool record)
    : full_(full),
      done_(done),
      record_(record),
      sources_{{{this, Direction::ingress}, {this, Direction::egress}}} {
  for (std::size_t outcome = 0; outcome < sinks_.size(); ++outcome)
    sinks_[outcome] = {.port = this, .outcome = static_cast<Outcome>(outcome), .volume = {}};
  // What is the same for every packet; receive() fills in the rest.
  std::memset(static_cast<void*>(buffers_.data()), 0, sizeof buffers_);
  for (rte_mbuf& buffer : buffers_) {
    buffer.nb_segs = 1;
    rte_mbuf_refcnt_set(&buffer, 1);
  }
}

dataplane::dpdk::Wiring MemoryPort::wiring() {
  dataplane::dpdk::Wiring wiring;
  for (Source& source : sources_)
    wiring.inputs.push_back({.receive =
                                 [](void* self, rte_mbuf** packets, std::uint16_t count) {
                                   const Source& from = *static_cast<const Source*>(self);
                                   return from.port->receive(from.direction, packets, count);
                                 },
                             .queue = &source,
                             .port = {.role = source.direction}});
  for (Sink& sink : sinks_)
    wiring.outputs[static_cast<std::size_t>(sink.outcome)] = {
        .send =
            [](void* self, rte_mbuf** packets, std::uint16_t count) {
              Sink& to = *static_cast<Sink*>(self);
              to.port->take_in(to, packets, count);
              return count;
            },
        .queue = &sink};
  if (record_)
    wiring.observer = {
        .observe =
            [](void* self, rte_mbuf* const*, const Decision* decisions, std::uint16_t count) {
              static_cast<MemoryPort*>(self)->observe(decisions, count);
            },
        .context = this};
  return wiring;
}

bool MemoryPort::next_block() noexcept {
  if (block_ != nullptr) done_.push(block_);
  block_ = full_.pop_awake();
  if (block_ == nullptr) {
    ended_.store(true, std::memory_order_relaxed);  // read by the thread that writes it
    return false;
  }
  next_ = block_->first();
  remaining_ = block_->packets();
  return true;
}

std::uint16_t MemoryPort::receive(Direction direction, rte_mbuf** packets,
                                  std::uint16_t count) noexcept {
  // The worker sends what it was given before it asks again: a block handed out is a block done.
  while (remaining_ == 0) {
    if (ended_.load(std::memory_order_relaxed) || !next_block()) return 0;
  }
  if (block_->origin().direction != direction) return 0;
  const auto n = static_cast<std::uint16_t>(std::min<std::size_t>(remaining_, count));
  for (std::uint16_t i = 0; i < n; ++i) {
    rte_mbuf& buffer = buffers_[i];
    buffer.buf_addr = reinterpret_cast<std::uint8_t*>(next_ + 1);
    buffer.pkt_len = next_->wire_length;
    // A buffer counts its bytes in 16 bits; no header lies behind that.
    constexpr std::uint32_t kDataMax = std::numeric_limits<std::uint16_t>::max();
    buffer.data_len = static_cast<std::uint16_t>(std::min(next_->captured, kDataMax));
    packets[i] = &buffer;
    records_[i] = next_;
    next_ = next_of(next_);
  }
  remaining_ -= n;
  return n;
}

void MemoryPort::observe(const Decision* decisions, std::uint16_t count) noexcept {
  for (std::uint16_t i = 0; i < count; ++i) records_[i]->decision = decisions[i];
}

void MemoryPort::take_in(Sink& sink, rte_mbuf* const* packets, std::uint16_t count) noexcept {
  sink.volume.packets += count;
  for (std::uint16_t i = 0; i < count; ++i) sink.volume.bytes += packets[i]->pkt_len;
  if (!record_) return;
  for (std::uint16_t i = 0; i < count; ++i)
    records_[static_cast<std::size_t>(packets[i] - buffers_.data())]->left_by = sink.outcome;
}

}  // namespace control::replay
