// SPDX-License-Identifier: BSD-3-Clause
#include "control/replay/block.hpp"

#include <immintrin.h>

#include <cstring>
#include <new>

namespace control::replay {

Block::Block() : memory_(std::make_unique_for_overwrite<std::byte[]>(kBytes)) {}

void Block::reset(const Origin& origin) noexcept {
  used_ = 0;
  packets_ = 0;
  origin_ = origin;
}

bool Block::append(const timeval& time, std::uint32_t captured, std::uint32_t wire_length,
                   const std::uint8_t* bytes) noexcept {
  const std::size_t stride = Record::stride_of(captured);
  if (stride > kBytes - used_) return false;
  auto* const record = new (memory_.get() + used_)
      Record{.time = time, .captured = captured, .wire_length = wire_length, .decision = {}};
  std::memcpy(record + 1, bytes, captured);
  used_ += stride;
  ++packets_;
  return true;
}

Record* Block::first() noexcept {
  return reinterpret_cast<Record*>(memory_.get());
}

const Record* Block::first() const noexcept {
  return reinterpret_cast<const Record*>(memory_.get());
}

void BlockQueue::push(Block* block) {
  {
    const std::lock_guard lock(mutex_);
    blocks_.push_back(block);
    // Relaxed: what is in the queue is read under the lock.
    size_.store(blocks_.size(), std::memory_order_relaxed);
  }
  filled_.notify_one();
}

Block* BlockQueue::pop_awake() {
  constexpr unsigned kSpinsMax = 1000;  // of some 40 ns each
  for (unsigned spins = 0; spins < kSpinsMax && size_.load(std::memory_order_relaxed) == 0; ++spins)
    _mm_pause();
  return pop();
}

Block* BlockQueue::pop() {
  std::unique_lock lock(mutex_);
  filled_.wait(lock, [this] { return !blocks_.empty(); });
  Block* const block = blocks_.front();
  if (block == nullptr) return nullptr;  // the end stays for whoever asks again
  blocks_.pop_front();
  size_.store(blocks_.size(), std::memory_order_relaxed);
  return block;
}

}  // namespace control::replay
