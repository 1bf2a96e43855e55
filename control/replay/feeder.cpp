// SPDX-License-Identifier: BSD-3-Clause
#include "control/replay/feeder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

namespace control::replay {
namespace {

// Blocks in flight while a capture is read: enough for a reader and workers that pause in turn, and
// little enough (4 MiB and 2 a worker) to stay near the processor instead of filling fresh memory.
std::size_t blocks_in_flight(std::size_t lanes) {
  return 8 + 4 * lanes;
}

constexpr const char* kNoMemory = "there is not enough memory to hold all captures for --repeat";

dataplane::Volume volume_of(const Block& block) {
  dataplane::Volume volume{.packets = block.packets()};
  const Record* record = block.first();
  for (std::size_t i = 0; i < block.packets(); ++i, record = next_of(record))
    volume.bytes += record->wire_length;
  return volume;
}

}  // namespace

Feeder::Feeder(std::vector<DirectedCapture>& captures, std::vector<BlockQueue*> lanes,
               std::vector<BlockQueue*> returns, unsigned passes,
               const std::atomic<bool>& interrupted)
    : captures_(captures),
      lanes_(std::move(lanes)),
      returns_(std::move(returns)),
      passes_(passes),
      interrupted_(interrupted),
      first_pass_blocks_(std::numeric_limits<std::size_t>::max()) {
  if (passes_ > 1) return;
  for (std::size_t i = 0; i < blocks_in_flight(lanes_.size()); ++i) {
    owned_.push_back(std::make_unique<Block>());
    returns_.front()->push(owned_.back().get());
  }
}

void Feeder::run() {
  started_ = std::chrono::steady_clock::now();
  for (std::size_t index = 0; index < captures_.size() && !was_interrupted_; ++index)
    read(captures_[index], index);
  if (passes_ > 1) repeat();
  for (BlockQueue* const lane : lanes_) lane->push(nullptr);
}

void Feeder::read(DirectedCapture& source, std::size_t index) {
  source_ = &source;
  origin_ = {.capture = index, .first_packet = 1, .direction = source.direction};
  packets_of_capture_ = 0;
  packet_bytes_of_capture_ = 0;
  refusal_.clear();
  try {
    begin_block();
  } catch (const std::bad_alloc&) {
    refusal_ = kNoMemory;
    errors_.push_back(describe_end());
    return;
  }
  const Capture::End end = source.capture.read(
      [](u_char* self, const pcap_pkthdr* header, const u_char* bytes) {
        reinterpret_cast<Feeder*>(self)->take(*header, bytes);
      },
      this);
  finish_block();
  // What stands behind a break is done with, too.
  bytes_of_captures_before_ += std::max(source.capture.bytes_total(), bytes_of_capture());
  // An interrupted read of a pipe looks broken, too.
  if (is_interrupted())
    was_interrupted_ = true;
  else if (end != Capture::End::complete)
    errors_.push_back(describe_end());
}

std::uint64_t Feeder::bytes_of_capture() const noexcept {
  const bool is_pipe = source_->capture.bytes_total() == 0;
  return is_pipe ? packet_bytes_of_capture_ : source_->capture.bytes_read();
}

std::string Feeder::describe_end() const {
  return fmt::format(
      "{}: breaks off at packet {}: {}; the {} packet{} before it {} replayed",
      source_->path == "-" ? "standard input" : source_->path, packets_of_capture_ + 1,
      refusal_.empty() ? source_->capture.error() : refusal_, packets_of_capture_,
      packets_of_capture_ == 1 ? "" : "s", packets_of_capture_ == 1 ? "was" : "were");
}

// Called by libpcap, which is C: nothing is thrown through it.
void Feeder::take(const pcap_pkthdr& header, const std::uint8_t* bytes) {
  try {
    append(header, bytes);
  } catch (const std::bad_alloc&) {
    refusal_ = kNoMemory;
  }
  if (!refusal_.empty() || is_interrupted()) source_->capture.stop();
}

void Feeder::append(const pcap_pkthdr& header, const std::uint8_t* bytes) {
  if (header.caplen > Block::kPacketBytesMax) {
    refusal_ = fmt::format("a packet of {} captured bytes; the longest that is replayed has {}",
                           header.caplen, Block::kPacketBytesMax);
    return;
  }
  if (!block_->append(header.ts, header.caplen, header.len, bytes)) {
    finish_block();
    begin_block();
    block_->append(header.ts, header.caplen, header.len, bytes);
  }
  ++packets_of_capture_;
  packet_bytes_of_capture_ += header.caplen;
  if (passes_ == 1) {
    dealt_.packets += 1;
    dealt_.bytes += header.len;
  }
}

void Feeder::begin_block() {
  if (passes_ > 1) {
    if (loaded_.size() == loaded_.capacity())
      loaded_.reserve(2 * loaded_.size() + 1);  // so that finish_block() cannot fail
    owned_.push_back(std::make_unique<Block>());
    block_ = owned_.back().get();
  } else {
    block_ = returns_.front()->pop_awake();
  }
  origin_.first_packet = packets_of_capture_ + 1;
  block_->reset(origin_);
}

void Feeder::finish_block() {
  bytes_read_.store(bytes_of_captures_before_ + bytes_of_capture(), std::memory_order_relaxed);
  if (block_ == nullptr) return;  // there was no memory for it
  if (passes_ > 1)
    loaded_.push_back(block_);
  else
    deal(block_);
  block_ = nullptr;
}

void Feeder::deal(Block* block) {
  lanes_[dealt_blocks_++ % lanes_.size()]->push(block);
}

// Each pass deals block k to lane k mod n, and waits for it to come back from there: every block is
// replayed once a pass, however much faster one worker is than another.
void Feeder::repeat() {
  first_pass_blocks_.store(loaded_.size(), std::memory_order_release);
  dataplane::Volume pass_volume;
  for (const Block* const block : loaded_) pass_volume += volume_of(*block);
  started_ = std::chrono::steady_clock::now();
  for (unsigned pass = 0; pass < passes_ && !is_interrupted(); ++pass) {
    dealt_ += pass_volume;
    for (std::size_t k = 0; k < loaded_.size(); ++k) {
      const std::size_t lane = k % lanes_.size();
      lanes_[lane]->push(pass == 0 ? loaded_[k] : returns_[lane]->pop_awake());
    }
  }
  was_interrupted_ = was_interrupted_ || is_interrupted();
}

}  // namespace control::replay
