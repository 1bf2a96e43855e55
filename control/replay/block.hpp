// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <sys/time.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>

#include "dataplane/steer.hpp"

// The unit in which a replay moves packets between its threads: some thousand packets of one
// capture in one piece of memory.
namespace control::replay {

// A packet in a block; its captured bytes follow it.
struct Record {
  timeval time{};  // tv_usec: nanoseconds
  std::uint32_t captured = 0;
  std::uint32_t wire_length = 0;
  // Written by the worker, where the replay asks for it.
  dataplane::Decision decision;
  // Where the worker sent the packet.
  dataplane::Outcome left_by = dataplane::Outcome::drop;

  [[nodiscard]] const std::uint8_t* bytes() const noexcept {
    return reinterpret_cast<const std::uint8_t*>(this + 1);
  }
  [[nodiscard]] dataplane::Frame frame() const noexcept {
    return {.bytes = bytes(), .captured = captured, .wire_length = wire_length};
  }
  // From the start of this record to that of the next.
  [[nodiscard]] std::size_t stride() const noexcept { return stride_of(captured); }
  [[nodiscard]] static std::size_t stride_of(std::size_t captured) noexcept {
    return (sizeof(Record) + captured + alignof(Record) - 1) / alignof(Record) * alignof(Record);
  }
};

// One owner at a time, handed on through BlockQueues.
class Block {
 public:
  // The longest packet that is replayed: the most that libpcap reads of an Ethernet frame in a pcap
  // file. A pcapng file may claim more.
  static constexpr std::uint32_t kPacketBytesMax = 262'144;
  // Has room for at least one such packet.
  static constexpr std::size_t kBytes = std::size_t{512} * 1024;

  Block();

  struct Origin {
    std::size_t capture = 0;         // index of the capture that the packets come from
    std::uint64_t first_packet = 1;  // number of the first one in it, from 1
    dataplane::Direction direction = dataplane::Direction::ingress;
  };
  // Empties the block.
  void reset(const Origin& origin) noexcept;
  // False if there is no room left. time.tv_usec: nanoseconds.
  bool append(const timeval& time, std::uint32_t captured, std::uint32_t wire_length,
              const std::uint8_t* bytes) noexcept;

  [[nodiscard]] const Origin& origin() const noexcept { return origin_; }
  [[nodiscard]] std::size_t packets() const noexcept { return packets_; }
  // The packets follow one another: next = first + first->stride(), packets() times.
  [[nodiscard]] Record* first() noexcept;
  [[nodiscard]] const Record* first() const noexcept;

 private:
  std::unique_ptr<std::byte[]> memory_;
  std::size_t used_ = 0;
  std::size_t packets_ = 0;
  Origin origin_;
};

[[nodiscard]] inline Record* next_of(Record* record) noexcept {
  return reinterpret_cast<Record*>(reinterpret_cast<std::byte*>(record) + record->stride());
}
[[nodiscard]] inline const Record* next_of(const Record* record) noexcept {
  return reinterpret_cast<const Record*>(reinterpret_cast<const std::byte*>(record) +
                                         record->stride());
}

// Hands blocks from one thread to another, in order. Bounded by the number of blocks that exist.
class BlockQueue {
 public:
  // Null ends the queue: pop() returns it to whoever asks from then on.
  void push(Block* block);
  // Waits for a block.
  [[nodiscard]] Block* pop();
  // The same, but stays awake for the first 50 us or so. Two threads that keep step then seldom
  // sleep, which also keeps the kernel from putting the one woken on the processor of its waker.
  [[nodiscard]] Block* pop_awake();

 private:
  std::atomic<std::size_t> size_{0};  // of blocks_, as a hint for those who wait awake
  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<Block*> blocks_;
};

}  // namespace control::replay
