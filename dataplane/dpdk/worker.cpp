// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/dpdk/worker.hpp"

#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include <algorithm>
#include <utility>

namespace dataplane::dpdk {
namespace {

// Of a packet in several segments, headers are sought in its first bytes up to this many: more than
// any packet that a host sees in earnest has.
constexpr std::uint32_t kGatheredBytesMax = 2048;

ChecksumStatus checksum_status(const rte_mbuf& packet) noexcept {
  switch (packet.ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) {
    case RTE_MBUF_F_RX_IP_CKSUM_BAD:
      return ChecksumStatus::bad;
    // NONE: the field is not filled in, but the hardware vouches for the header.
    case RTE_MBUF_F_RX_IP_CKSUM_GOOD:
    case RTE_MBUF_F_RX_IP_CKSUM_NONE:
      return ChecksumStatus::good;
    default:
      return ChecksumStatus::unknown;
  }
}

// gathered: kGatheredBytesMax bytes for this packet alone.
Frame frame_of(const rte_mbuf& packet, std::uint8_t* gathered) noexcept {
  Frame frame{.bytes = rte_pktmbuf_mtod(&packet, const std::uint8_t*),
              .captured = packet.data_len,
              .wire_length = packet.pkt_len,
              .ip_checksum = checksum_status(packet)};
  if (packet.nb_segs > 1 && packet.data_len < kGatheredBytesMax) [[unlikely]] {
    const std::uint32_t size = std::min(packet.pkt_len, kGatheredBytesMax);
    frame.bytes = static_cast<const std::uint8_t*>(rte_pktmbuf_read(&packet, 0, size, gathered));
    frame.captured = size;
  }
  return frame;
}

constexpr std::size_t index_of(Outcome outcome) noexcept {
  return static_cast<std::size_t>(outcome);
}

// The binding that a packet is counted for; 0: none. Verdicts up to not_accepted are those of
// ingress packets that a binding decided.
std::uint32_t counted_binding(const Decision& decision) noexcept {
  return decision.verdict <= Verdict::magic_transit_not_accepted ? decision.match.binding() : 0;
}

}  // namespace

struct Worker::Burst {
  // The packets that leave by one way, and their places in the burst.
  struct Group {
    std::uint16_t count = 0;
    std::array<rte_mbuf*, kBurstMax> packets;
    std::array<std::uint8_t, kBurstMax> place;

    void add(rte_mbuf* packet, std::size_t from) noexcept {
      packets[count] = packet;
      place[count] = static_cast<std::uint8_t>(from);
      ++count;
    }
  };

  std::uint16_t count = 0;
  std::array<rte_mbuf*, kBurstMax> packets;
  std::array<Frame, kBurstMax> frames;
  std::array<Decision, kBurstMax> decisions;
  std::array<Group, kOutcomes> groups;
  std::array<Volume, kVerdicts> volumes;
};

Worker::Worker(unsigned number, Wiring wiring, Publisher& publisher, std::uint32_t bindings_max)
    : wiring_(std::move(wiring)),
      reader_(publisher, number),
      counters_(bindings_max),
      burst_(std::make_unique<Burst>()),
      gathered_headers_(kBurstMax * kGatheredBytesMax) {}

Worker::~Worker() = default;

std::size_t Worker::poll() noexcept {
  std::size_t total = 0;
  for (const Input& input : wiring_.inputs) {
    burst_->count = input.receive(input.queue, burst_->packets.data(), kBurstMax);
    if (burst_->count == 0) continue;
    total += burst_->count;
    process(input.port);
  }
  reader_.quiescent();
  return total;
}

void Worker::run(const std::atomic<bool>& stop) noexcept {
  reader_.online();
  // Relaxed: nothing else is read because of `stop`.
  while (!stop.load(std::memory_order_relaxed)) poll();
  reader_.offline();
}

void Worker::process(const Port& port) noexcept {
  Burst& burst = *burst_;
  const std::size_t count = burst.count;
  for (std::size_t i = 0; i < count; ++i)
    rte_prefetch0(rte_pktmbuf_mtod(burst.packets[i], const void*));
  Volume received{.packets = count};
  for (std::size_t i = 0; i < count; ++i) {
    burst.frames[i] = frame_of(*burst.packets[i], &gathered_headers_[i * kGatheredBytesMax]);
    received.bytes += burst.frames[i].wire_length;
  }
  counters_.received().add(received);

  steer(reader_.table(), port, {burst.frames.data(), count}, {burst.decisions.data(), count});
  if (wiring_.observer.observe != nullptr)
    wiring_.observer.observe(wiring_.observer.context, burst.packets.data(), burst.decisions.data(),
                             burst.count);

  burst.volumes.fill({});
  for (Burst::Group& group : burst.groups) group.count = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const Decision& decision = burst.decisions[i];
    const Volume volume{.packets = 1, .bytes = burst.frames[i].wire_length};
    burst.volumes[static_cast<std::size_t>(decision.verdict)] += volume;
    counters_.of_binding(counted_binding(decision)).add(volume);
    burst.groups[index_of(outcome_of(decision.verdict))].add(burst.packets[i], i);
  }
  transmit();
}

// Sends each group to its output. What an output has no room for changes its verdict, before
// anything is counted.
void Worker::transmit() noexcept {
  Burst& burst = *burst_;
  Burst::Group& dropped = burst.groups[index_of(Outcome::drop)];
  for (std::size_t outcome = 0; outcome < index_of(Outcome::drop); ++outcome) {
    Burst::Group& group = burst.groups[outcome];
    if (group.count == 0) continue;
    const Output& output = wiring_.outputs[outcome];
    std::uint16_t sent = 0;
    if (output.send != nullptr) sent = output.send(output.queue, group.packets.data(), group.count);
    const Verdict full = queue_full_of(static_cast<Outcome>(outcome));
    for (std::size_t k = sent; k < group.count; ++k) {
      const std::size_t place = group.place[k];
      const std::uint64_t bytes = burst.frames[place].wire_length;
      Volume& decided = burst.volumes[static_cast<std::size_t>(burst.decisions[place].verdict)];
      decided.packets -= 1;
      decided.bytes -= bytes;
      burst.volumes[static_cast<std::size_t>(full)] += {.packets = 1, .bytes = bytes};
      dropped.add(group.packets[k], place);
    }
  }
  if (dropped.count != 0) {
    const Output& output = wiring_.outputs[index_of(Outcome::drop)];
    output.send(output.queue, dropped.packets.data(), dropped.count);
  }
  for (std::size_t v = 0; v < kVerdicts; ++v)
    if (burst.volumes[v].packets != 0) counters_.of(static_cast<Verdict>(v)).add(burst.volumes[v]);
}

}  // namespace dataplane::dpdk
