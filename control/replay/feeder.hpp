// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "control/replay/block.hpp"
#include "control/replay/capture.hpp"
#include "dataplane/counters.hpp"
#include "dataplane/table.hpp"

namespace control::replay {

// A capture to replay, and the direction its packets travel in.
struct DirectedCapture {
  std::string path;
  dataplane::Direction direction = dataplane::Direction::ingress;
  Capture capture;
};

// Reads captures into blocks and deals the blocks out in turn. Runs on a thread of its own; what
// other threads may read while it runs is said beside each member.
class Feeder {
 public:
  // lanes: one queue for each worker; block k goes to lane k mod n. returns: where the used blocks
  // of each lane come back, in the order in which they were dealt to it; of one pass, all may be
  // one queue. passes: how often everything is replayed; with more than one, all packets are read
  // into memory first. interrupted: looked at between packets; outlives the feeder.
  Feeder(std::vector<DirectedCapture>& captures, std::vector<BlockQueue*> lanes,
         std::vector<BlockQueue*> returns, unsigned passes, const std::atomic<bool>& interrupted);

  // Reads and deals everything, then ends the lanes.
  void run();
  // Ends run() after the packet under way. Any thread.
  void stop() noexcept { stopped_.store(true, std::memory_order_relaxed); }

  // Bytes of the captures read so far; of a pipe, which does not tell, those of its packets.
  // Readable at any time.
  [[nodiscard]] std::uint64_t bytes_read() const noexcept {
    return bytes_read_.load(std::memory_order_relaxed);
  }
  // Blocks of the first pass; std::size_t's maximum while that is not known. Known before the first
  // block of a second pass is dealt.
  [[nodiscard]] std::size_t first_pass_blocks() const noexcept {
    return first_pass_blocks_.load(std::memory_order_acquire);
  }

  // Readable when run() has returned.
  // Packets dealt, over all passes.
  [[nodiscard]] const dataplane::Volume& dealt() const noexcept { return dealt_; }
  // One message for each capture that could not be read to its end.
  [[nodiscard]] const std::vector<std::string>& errors() const noexcept { return errors_; }
  [[nodiscard]] bool was_interrupted() const noexcept { return was_interrupted_; }
  // When the first packet was about to be read, or, of several passes, dealt.
  [[nodiscard]] std::chrono::steady_clock::time_point started() const noexcept { return started_; }

 private:
  [[nodiscard]] bool is_interrupted() const noexcept {
    // Relaxed: nothing else is read because of it.
    return interrupted_.load(std::memory_order_relaxed) || stopped_.load(std::memory_order_relaxed);
  }
  void read(DirectedCapture& source, std::size_t index);
  void take(const pcap_pkthdr& header, const std::uint8_t* bytes);
  void append(const pcap_pkthdr& header, const std::uint8_t* bytes);
  [[nodiscard]] std::string describe_end() const;
  [[nodiscard]] std::uint64_t bytes_of_capture() const noexcept;
  void begin_block();
  void finish_block();
  void deal(Block* block);
  void repeat();

  std::vector<DirectedCapture>& captures_;
  std::vector<BlockQueue*> lanes_;
  std::vector<BlockQueue*> returns_;
  unsigned passes_;
  const std::atomic<bool>& interrupted_;
  std::atomic<bool> stopped_{false};

  std::vector<std::unique_ptr<Block>> owned_;
  std::vector<Block*> loaded_;  // of several passes: all blocks, in order
  std::size_t dealt_blocks_ = 0;
  DirectedCapture* source_ = nullptr;
  std::string refusal_;  // why the capture under way was not read on, though libpcap would
  Block* block_ = nullptr;
  Block::Origin origin_;
  std::uint64_t packets_of_capture_ = 0;
  std::uint64_t packet_bytes_of_capture_ = 0;
  std::uint64_t bytes_of_captures_before_ = 0;

  std::atomic<std::uint64_t> bytes_read_{0};
  std::atomic<std::size_t> first_pass_blocks_;
  dataplane::Volume dealt_;
  std::vector<std::string> errors_;
  bool was_interrupted_ = false;
  std::chrono::steady_clock::time_point started_;
};

}  // namespace control::replay
