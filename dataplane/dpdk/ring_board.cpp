// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/dpdk/ring_board.hpp"

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_memzone.h>
#include <rte_ring.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <new>
#include <string_view>

namespace dataplane::dpdk {
namespace {

constexpr const char* kName = "steer_rings";
constexpr std::uint64_t kVersion = 1;
constexpr std::size_t kSlots = 256;

// Writer of beat: the consumer. Of name: steerd, before it counts the slot.
struct alignas(64) Slot {
  std::array<char, RTE_RING_NAMESIZE> name{};
  std::atomic<std::uint64_t> beat{0};
};

}  // namespace

// In memory that both processes have. Every atomic here is lock-free, and so works between them.
struct RingBoardMemory {
  std::uint64_t version = kVersion;
  std::atomic<std::uint64_t> count{0};                    // slots in use; writer: steerd
  alignas(64) std::atomic<std::uint64_t> steerd_beat{0};  // writer: steerd
  std::array<Slot, kSlots> slots;
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

bool Heartbeat::is_alive(std::uint64_t beat) noexcept {
  const std::uint64_t now = rte_get_tsc_cycles();
  if (beat != last_) {
    last_ = beat;
    moved_at_ = now;
  }
  return beat != 0 && now - moved_at_ < rte_get_tsc_hz() / 1000 * kSilenceMaxMs;
}

RingBoard::RingBoard() {
  const rte_memzone* const zone =
      rte_memzone_reserve(kName, sizeof(RingBoardMemory), SOCKET_ID_ANY, 0);
  if (zone == nullptr)
    throw RingError("there is no memory for the rings' board (" +
                    std::string(rte_strerror(rte_errno)) + ")");
  memory_ = new (zone->addr) RingBoardMemory;
}

RingBoard::~RingBoard() {
  memory_->steerd_beat.store(0, std::memory_order_relaxed);
  for (rte_ring* const ring : rings_) rte_ring_free(ring);
  rte_memzone_free(rte_memzone_lookup(kName));
}

rte_ring& RingBoard::make(const std::string& name, unsigned packets, bool many_producers) {
  if (rings_.size() == kSlots)
    throw RingError("there can be " + std::to_string(kSlots) + " rings, not more");
  rte_ring* const ring =
      rte_ring_create(name.c_str(), packets, SOCKET_ID_ANY,
                      RING_F_SC_DEQ | (many_producers ? 0U : static_cast<unsigned>(RING_F_SP_ENQ)));
  if (ring == nullptr)
    throw RingError("ring " + name + " cannot be made (" + rte_strerror(rte_errno) + ")");
  rings_.push_back(ring);
  consumers_.emplace_back();
  const std::uint64_t index = rings_.size() - 1;
  std::array<char, RTE_RING_NAMESIZE>& slot = memory_->slots[index].name;
  name.copy(slot.data(), slot.size() - 1);
  // Release pairs with the acquire of a consumer: it finds the name with the count.
  memory_->count.store(index + 1, std::memory_order_release);
  return *ring;
}

void RingBoard::beat() noexcept {
  memory_->steerd_beat.fetch_add(1, std::memory_order_relaxed);
}

bool RingBoard::has_consumer(std::size_t index) noexcept {
  return consumers_[index].is_alive(memory_->slots[index].beat.load(std::memory_order_relaxed));
}

unsigned RingBoard::packets_in(std::size_t index) const noexcept {
  return rte_ring_count(rings_[index]);
}

RingConsumer::RingConsumer(const std::string& name) : ring_(rte_ring_lookup(name.c_str())) {
  const rte_memzone* const zone = rte_memzone_lookup(kName);
  if (zone == nullptr || ring_ == nullptr) throw RingError("steerd has no ring " + name);
  memory_ = static_cast<RingBoardMemory*>(zone->addr);
  if (memory_->version != kVersion)
    throw RingError("steerd's rings are of version " + std::to_string(memory_->version) + ", not " +
                    std::to_string(kVersion));
  const std::uint64_t count = memory_->count.load(std::memory_order_acquire);
  while (slot_ < count && std::string_view(memory_->slots[slot_].name.data()) != name) ++slot_;
  if (slot_ == count) throw RingError("steerd has no ring " + name);
}

RingConsumer::~RingConsumer() {
  memory_->slots[slot_].beat.store(0, std::memory_order_relaxed);
}

std::uint16_t RingConsumer::receive(rte_mbuf** packets, std::uint16_t count) noexcept {
  std::atomic<std::uint64_t>& beat = memory_->slots[slot_].beat;
  beat.store(beat.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  return static_cast<std::uint16_t>(
      rte_ring_dequeue_burst(ring_, reinterpret_cast<void**>(packets), count, nullptr));
}

bool RingConsumer::steerd_is_alive() noexcept {
  return steerd_.is_alive(memory_->steerd_beat.load(std::memory_order_relaxed));
}

}  // namespace dataplane::dpdk
