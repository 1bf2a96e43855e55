// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/dpdk/worker.hpp"

#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include <algorithm>
#include <bit>
#include <span>
#include <utility>

#include "dataplane/steer_burst.hpp"

namespace dataplane::dpdk {
namespace {

// Of a packet in several segments, headers are sought in its first bytes up to this many: more than
// any packet that a host sees in earnest has.
constexpr std::uint32_t kGatheredBytesMax = 2048;

ChecksumStatus checksum_status(const rte_mbuf& packet) noexcept {
  // NONE, which is both: the field is not filled in, but the hardware vouches for the header.
  const bool is_good = (packet.ol_flags & RTE_MBUF_F_RX_IP_CKSUM_GOOD) != 0;
  const bool is_bad = (packet.ol_flags & RTE_MBUF_F_RX_IP_CKSUM_BAD) != 0;
  if (is_good) return ChecksumStatus::good;
  return is_bad ? ChecksumStatus::bad : ChecksumStatus::unknown;
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

// A burst as the worker received it.
class Received {
 public:
  // gathered: kGatheredBytesMax bytes for each packet.
  Received(std::span<rte_mbuf* const> packets, std::uint8_t* gathered) noexcept
      : packets_(packets), gathered_(gathered) {}
  [[nodiscard]] std::size_t size() const noexcept { return packets_.size(); }
  [[nodiscard]] Head head(std::size_t i) const noexcept {
    const rte_mbuf& packet = *packets_[i];
    return {.bytes = rte_pktmbuf_mtod(&packet, const std::uint8_t*),
            .captured = packet.data_len,
            .wire_length = packet.pkt_len};
  }
  [[nodiscard]] Frame frame(std::size_t i) const noexcept {
    return frame_of(*packets_[i], gathered_ + i * kGatheredBytesMax);
  }

 private:
  std::span<rte_mbuf* const> packets_;
  std::uint8_t* gathered_;
};

constexpr std::size_t index_of(Outcome outcome) noexcept {
  return static_cast<std::size_t>(outcome);
}

// A plain store in effect: this thread is the only writer.
void add(std::atomic<std::uint64_t>& counter, std::uint64_t more) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
}

// Packets and bytes of a burst in one word: 64 packets of up to 4 GiB each fit.
class PackedVolume {
 public:
  static constexpr unsigned kBytesBits = 48;

  constexpr PackedVolume() noexcept = default;
  static PackedVolume of_packet(std::uint64_t bytes) noexcept {
    PackedVolume volume;
    volume.word_ = std::uint64_t{1} << kBytesBits | bytes;
    return volume;
  }
  PackedVolume& operator+=(PackedVolume other) noexcept {
    word_ += other.word_;
    return *this;
  }
  PackedVolume& operator-=(PackedVolume other) noexcept {
    word_ -= other.word_;
    return *this;
  }
  [[nodiscard]] Volume unpacked() const noexcept {
    return {.packets = word_ >> kBytesBits,
            .bytes = word_ & ((std::uint64_t{1} << kBytesBits) - 1)};
  }

 private:
  std::uint64_t word_ = 0;
};
constexpr std::size_t kVerdictsRoom = 64;
static_assert(kVerdicts <= kVerdictsRoom);

// The number of packets of all groups in one word.
constexpr unsigned kCountBits = 8;
constexpr unsigned kCountMask = (1U << kCountBits) - 1;
static_assert(kOutcomes * kCountBits <= 64 && kBurstMax <= kCountMask);

// What a verdict means for counting and grouping.
struct Effect {
  std::uint64_t bit;
  // All ones where the packet is counted for its binding: verdicts up to not_accepted are those of
  // ingress packets that a binding decided.
  std::uint32_t binding_mask;
  std::uint32_t count_shift;  // of its group
};
constexpr auto kEffects = [] {
  std::array<Effect, kVerdicts> effects{};
  for (std::size_t v = 0; v < kVerdicts; ++v) {
    const auto verdict = static_cast<Verdict>(v);
    effects[v] = {
        .bit = std::uint64_t{1} << v,
        .binding_mask = verdict <= Verdict::magic_transit_not_accepted ? ~std::uint32_t{0} : 0,
        .count_shift = static_cast<std::uint32_t>(kCountBits * index_of(outcome_of(verdict)))};
  }
  return effects;
}();

// Whether the first segment holds what write() changes, and has room for a link-layer header of
// `link` bytes before the IP header at `ip_offset`.
bool has_header_in_front(rte_mbuf& packet, std::uint32_t ip_offset, std::uint32_t link) noexcept {
  constexpr std::uint32_t kWrittenBytes = 12;  // of the IP header: TTL and checksum
  if (packet.data_len < ip_offset + kWrittenBytes && rte_pktmbuf_linearize(&packet) != 0)
    return false;
  return link <= ip_offset + rte_pktmbuf_headroom(&packet);
}

}  // namespace

struct Worker::Burst {
  // What is to be known of a packet that has been grouped: if it gets another verdict after all.
  struct Note {
    std::uint32_t wire_length;  // as received
    Verdict verdict;
  };
  // The packets that leave by one way.
  struct Group {
    std::span<rte_mbuf*, kBurstMax> packets;
    std::span<Note, kBurstMax> notes;
    std::uint16_t& count;

    void add(rte_mbuf* packet, const Note& note) const noexcept {
      packets[count] = packet;
      notes[count] = note;
      ++count;
    }
  };
  [[nodiscard]] Group group(Outcome outcome) noexcept {
    const std::size_t first = index_of(outcome) * kBurstMax;
    return {std::span<rte_mbuf*, kBurstMax>(&grouped[first], kBurstMax),
            std::span<Note, kBurstMax>(&notes[first], kBurstMax), counts[index_of(outcome)]};
  }

  std::uint16_t count = 0;
  std::array<rte_mbuf*, kBurstMax> packets;
  std::array<Decision, kBurstMax> decisions;
  // The groups, kBurstMax each.
  std::array<rte_mbuf*, kOutcomes * kBurstMax> grouped;
  std::array<Note, kOutcomes * kBurstMax> notes;
  std::array<std::uint16_t, kOutcomes> counts;
  // By verdict, in two parts; nothing between bursts.
  std::array<PackedVolume, 2 * kVerdictsRoom> volumes{};
  std::uint64_t verdicts = 0;  // bit v: there is something in volumes
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
  bool is_dry = true;
  for (const Input& input : wiring_.inputs) {
    burst_->count = input.receive(input.queue, burst_->packets.data(), kBurstMax);
    if (burst_->count == 0) continue;
    total += burst_->count;
    is_dry = is_dry && burst_->count < kBurstMax;
    process(input);
  }
  if (!wiring_.forwards.empty()) total += forward();
  reader_.quiescent();
  add(progress_.rounds, 1);
  if (is_dry) add(progress_.dry_rounds, 1);
  return total;
}

std::size_t Worker::forward() noexcept {
  std::size_t total = 0;
  std::array<rte_mbuf*, kBurstMax>& packets = burst_->packets;
  for (const Forward& forward : wiring_.forwards) {
    const std::uint16_t count = forward.from.receive(forward.from.queue, packets.data(), kBurstMax);
    if (count == 0) continue;
    const std::uint16_t sent = forward.to.send(forward.to.queue, packets.data(), count);
    rte_pktmbuf_free_bulk(packets.data() + sent, count - sent);
    add(progress_.forwarded, sent);
    add(progress_.forwards_lost, count - sent);
    total += count;
  }
  return total;
}

void Worker::run(const std::atomic<bool>& stop) noexcept {
  reader_.online();
  // Relaxed: nothing else is read because of `stop`.
  while (!stop.load(std::memory_order_relaxed)) poll();
  reader_.offline();
}

void Worker::run(const std::atomic<bool>& stop, Idler& idler) noexcept {
  reader_.online();
  unsigned empty_rounds = 0;
  while (!stop.load(std::memory_order_relaxed)) {
    if (poll() != 0) {
      empty_rounds = 0;
      continue;
    }
    if (++empty_rounds < idler.patience()) continue;
    if (!idler.sleeps()) {
      idler.pause();
      continue;
    }
    // Offline, so that no publication waits for a worker that sleeps; it holds no packet.
    reader_.offline();
    progress_.is_asleep.store(true, std::memory_order_relaxed);
    idler.sleep();
    progress_.is_asleep.store(false, std::memory_order_relaxed);
    reader_.online();
    empty_rounds = 0;
  }
  reader_.offline();
}

void Worker::process(const Input& input) noexcept {
  Burst& burst = *burst_;
  const std::size_t count = burst.count;
  for (std::size_t i = 0; i < count; ++i)
    rte_prefetch0(rte_pktmbuf_mtod(burst.packets[i], const void*));
  if (wiring_.observer.observe == nullptr) {
    decide<false>(input);
  } else {
    decide<true>(input);
    wiring_.observer.observe(wiring_.observer.context, burst.packets.data(), burst.decisions.data(),
                             burst.count);
  }
  transmit(input);
}

// Decides the packets of a burst, counts them by verdict and binding, and puts each with those that
// leave by the same way. Without a branch, since nobody can predict the services of packets; and by
// turns in two sets of sums, since an addition in memory waits for the one before.
template <bool kObserved>
void Worker::decide(const Input& input) noexcept {
  Burst& burst = *burst_;
  std::uint64_t counts = 0;
  std::uint64_t verdicts = 0;
  std::uint64_t all_bytes = 0;
  std::size_t turn = 0;
  const auto take = [&](std::size_t i, const Decision& decision) {
    const auto verdict = static_cast<std::size_t>(decision.verdict);
    rte_mbuf* const packet = burst.packets[i];
    const std::uint32_t bytes = packet->pkt_len;
    if constexpr (kObserved) burst.decisions[i] = decision;
    all_bytes += bytes;
    burst.volumes[turn + verdict] += PackedVolume::of_packet(bytes);
    turn ^= kVerdictsRoom;
    const Effect& effect = kEffects[verdict];
    verdicts |= effect.bit;
    counters_.of_binding(decision.match.binding() & effect.binding_mask)
        .add({.packets = 1, .bytes = bytes});
    const unsigned shift = effect.count_shift;
    const std::size_t k = shift * (kBurstMax / kCountBits) + (counts >> shift & kCountMask);
    burst.grouped[k] = packet;
    burst.notes[k] = {.wire_length = bytes, .verdict = decision.verdict};
    counts += std::uint64_t{1} << shift;
  };
  const Received received({burst.packets.data(), burst.count}, gathered_headers_.data());
  steer_burst(reader_.table(), input.port, received, {burst.decisions.data(), burst.count}, take);

  counters_.received().add({.packets = burst.count, .bytes = all_bytes});
  for (std::size_t o = 0; o < kOutcomes; ++o)
    burst.counts[o] = static_cast<std::uint16_t>(counts >> (o * kCountBits) & kCountMask);
  burst.verdicts = verdicts;
}

// Gives a packet of a group another verdict, before anything is counted; it has left its group.
void Worker::move(Outcome from, std::size_t k, Verdict verdict) noexcept {
  Burst& burst = *burst_;
  const Burst::Group group = burst.group(from);
  const Burst::Note note = group.notes[k];
  const auto volume = PackedVolume::of_packet(note.wire_length);
  burst.volumes[static_cast<std::size_t>(note.verdict)] -= volume;
  burst.volumes[static_cast<std::size_t>(verdict)] += volume;
  burst.verdicts |= std::uint64_t{1} << static_cast<unsigned>(verdict);
  burst.group(outcome_of(verdict)).add(group.packets[k], {note.wire_length, verdict});
}

bool AnswerLimit::take() noexcept {
  constexpr std::uint64_t kPerSecond = 1000;
  constexpr std::uint64_t kAtOnce = 64;
  const std::uint64_t now = rte_get_tsc_cycles();
  const std::uint64_t ticks = rte_get_tsc_hz() / kPerSecond;  // for one
  if (const std::uint64_t more = ticks == 0 ? 0 : (now - filled_at_) / ticks; more != 0) {
    tokens_ = std::min(tokens_ + more, kAtOnce);
    filled_at_ = now;
  }
  if (tokens_ == 0) return false;
  --tokens_;
  return true;
}

void Worker::answer(const Answering& answering, const Frame& frame, std::uint32_t mtu) noexcept {
  if (!answer_limit_.take()) return;
  rte_mbuf* packet = rte_pktmbuf_alloc(answering.pool);
  if (packet == nullptr) return;
  if (rte_pktmbuf_tailroom(packet) >= kAnswerBytesMax) {
    auto* const bytes = rte_pktmbuf_mtod(packet, std::uint8_t*);
    const std::size_t size =
        answer_too_big(frame, parse(frame), {answering.from, mtu}, {bytes, kAnswerBytesMax});
    packet->data_len = static_cast<std::uint16_t>(size);
    packet->pkt_len = static_cast<std::uint32_t>(size);
    if (size != 0 && answering.back.send(answering.back.queue, &packet, 1) == 1) {
      add(progress_.answers, 1);
      return;
    }
  }
  rte_pktmbuf_free(packet);
}

// Prepares a group for an output that rewrites; packets that it cannot send leave the group.
void Worker::rewrite(Outcome outcome, const Rewrite& how, const Input& input) noexcept {
  Burst& burst = *burst_;
  const Burst::Group group = burst.group(outcome);
  const std::uint32_t link = link_bytes(how);
  const bool kernel_path = input.port.kernel_path;
  std::uint16_t kept = 0;
  for (std::size_t k = 0; k < group.count; ++k) {
    rte_mbuf* const packet = group.packets[k];
    const Frame frame = frame_of(*packet, gathered_headers_.data());
    const Parsed parsed = parse(frame);
    const Forwarding forwarding = judge(how, frame, parsed);
    if (forwarding == Forwarding::ttl_expired) [[unlikely]] {
      move(outcome, k, kernel_path ? Verdict::kernel_ttl_expired : Verdict::drop_ttl_expired);
      continue;
    }
    if (forwarding == Forwarding::too_big || !has_header_in_front(*packet, parsed.ip_offset, link))
        [[unlikely]] {
      if (!kernel_path && input.answering != nullptr) answer(*input.answering, frame, how.mtu);
      move(outcome, k, kernel_path ? Verdict::kernel_too_big : too_big_of(outcome));
      continue;
    }
    if (parsed.ip_offset > link)
      rte_pktmbuf_adj(packet, static_cast<std::uint16_t>(parsed.ip_offset - link));
    else if (parsed.ip_offset < link)
      rte_pktmbuf_prepend(packet, static_cast<std::uint16_t>(link - parsed.ip_offset));
    write(how, parsed.network, rte_pktmbuf_mtod_offset(packet, std::uint8_t*, link));
    group.packets[kept] = packet;
    group.notes[kept] = group.notes[k];
    ++kept;
  }
  group.count = kept;
}

// What an output has no room for, or cannot send, changes its verdict before anything is counted.
void Worker::send(Outcome outcome, const Input& input) noexcept {
  const Burst::Group group = burst_->group(outcome);
  if (group.count == 0) return;
  const Output& output = outcome == Outcome::kernel && input.kernel != nullptr
                             ? *input.kernel
                             : wiring_.outputs[index_of(outcome)];
  const Condition::State state =
      output.condition == nullptr ? Condition::State() : output.condition->get();
  if (!state.is_up || !state.is_resolved) [[unlikely]] {
    Verdict verdict = state.is_up ? unresolved_of(outcome) : down_of(outcome);
    if (wiring_.down_to_magic_transit && outcome != Outcome::magic_transit)
      verdict = Verdict::magic_transit_output_down;
    for (std::size_t k = 0; k < group.count; ++k) move(outcome, k, verdict);
    return;
  }
  if (output.rewrite != nullptr) {
    Rewrite how = *output.rewrite;
    if (output.condition != nullptr) how.destination = state.next_hop;
    rewrite(outcome, how, input);
    if (group.count == 0) return;
  }
  std::uint16_t sent = 0;
  if (output.send != nullptr) sent = output.send(output.queue, group.packets.data(), group.count);
  for (std::size_t k = sent; k < group.count; ++k) move(outcome, k, queue_full_of(outcome));
}

// Sends each group to its output. Magic Transit comes behind the services whose packets may be
// moved to it, the kernel behind all three.
void Worker::transmit(const Input& input) noexcept {
  Burst& burst = *burst_;
  for (const Outcome outcome :
       {Outcome::cdn, Outcome::spectrum, Outcome::magic_transit, Outcome::kernel})
    send(outcome, input);
  const Burst::Group dropped = burst.group(Outcome::drop);
  if (dropped.count != 0) {
    const Output& output = wiring_.outputs[index_of(Outcome::drop)];
    output.send(output.queue, dropped.packets.data(), dropped.count);
  }
  for (std::uint64_t verdicts = burst.verdicts; verdicts != 0; verdicts &= verdicts - 1) {
    const auto v = static_cast<std::size_t>(std::countr_zero(verdicts));
    PackedVolume volume = std::exchange(burst.volumes[v], {});
    volume += std::exchange(burst.volumes[kVerdictsRoom + v], {});
    counters_.of(static_cast<Verdict>(v)).add(volume.unpacked());
  }
}

}  // namespace dataplane::dpdk
