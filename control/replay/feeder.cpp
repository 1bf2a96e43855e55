// SPDX-License-Identifier: BSD-3-Clause
#include "control/replay/feeder.hpp"

#include <fmt/format.h>

#include <limits>
#include <utility>

namespace control::replay {
namespace {

// Blocks in flight while a capture is read: enough for a reader and workers that pause in turn, and
// little enough (4 MiB and 2 a worker) to stay near the processor instead of filling fresh memory.
std::size_t blocks_in_flight(std::size_t lanes) {
  return 8 + 4 * lanes;
}

dataplane::Volume volume_of(const Block& block) {
  dataplane::Volume volume{.packets = block.packets()};
  const Record* record = block.first();
  for (std::size_t i = 0; i < block.packets(); ++i, record = next_of(record))
    volume.bytes += record->wire_length;
  return volume;
}

}  // namespace

Feeder::Feeder(std::vector<DirectedCapture>& captures, std::vector<BlockQueue*> lanes,
               BlockQueue& free, unsigned passes, const std::atomic<bool>& interrupted)
    : captures_(captures),
      lanes_(std::move(lanes)),
      free_(free),
      passes_(passes),
      interrupted_(interrupted),
      first_pass_blocks_(std::numeric_limits<std::size_t>::max()) {
  if (passes_ > 1) return;
  for (std::size_t i = 0; i < blocks_in_flight(lanes_.size()); ++i) {
    owned_.push_back(std::make_unique<Block>());
    free_.push(owned_.back().get());
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
  begin_block();
  const Capture::End end = source.capture.read(
      [](u_char* self, const pcap_pkthdr* header, const u_char* bytes) {
        reinterpret_cast<Feeder*>(self)->take(*header, bytes);
      },
      this);
  finish_block();
  bytes_of_captures_before_ += source.capture.bytes_total();
  // An interrupted read of a pipe looks broken, too.
  if (is_interrupted()) was_interrupted_ = true;
  if (end == Capture::End::broken && !was_interrupted_)
    errors_.push_back(fmt::format(
        "{}: breaks off at packet {}: {}; the {} packet{} before it {} replayed",
        source.path == "-" ? "standard input" : source.path, packets_of_capture_ + 1,
        source.capture.error(), packets_of_capture_, packets_of_capture_ == 1 ? "" : "s",
        packets_of_capture_ == 1 ? "was" : "were"));
}

void Feeder::take(const pcap_pkthdr& header, const std::uint8_t* bytes) {
  if (!block_->append(header.ts, header.caplen, header.len, bytes)) {
    finish_block();
    begin_block();
    block_->append(header.ts, header.caplen, header.len, bytes);
  }
  ++packets_of_capture_;
  if (passes_ == 1) {
    dealt_.packets += 1;
    dealt_.bytes += header.len;
  }
  if (is_interrupted()) source_->capture.stop();
}

void Feeder::begin_block() {
  if (passes_ > 1) {
    owned_.push_back(std::make_unique<Block>());
    block_ = owned_.back().get();
  } else {
    block_ = free_.pop_awake();
  }
  origin_.first_packet = packets_of_capture_ + 1;
  block_->reset(origin_);
}

void Feeder::finish_block() {
  bytes_read_.store(bytes_of_captures_before_ + source_->capture.bytes_read(),
                    std::memory_order_relaxed);
  if (passes_ > 1)
    loaded_.push_back(block_);
  else
    deal(block_);
  block_ = nullptr;
}

void Feeder::deal(Block* block) {
  lanes_[dealt_blocks_++ % lanes_.size()]->push(block);
}

void Feeder::repeat() {
  first_pass_blocks_.store(loaded_.size(), std::memory_order_release);
  dataplane::Volume pass_volume;
  for (const Block* const block : loaded_) pass_volume += volume_of(*block);
  started_ = std::chrono::steady_clock::now();
  for (unsigned pass = 0; pass < passes_ && !is_interrupted(); ++pass) {
    dealt_ += pass_volume;
    // Several workers may give blocks back in another order: nobody looks at a second pass.
    for (Block* const block : loaded_) deal(pass == 0 ? block : free_.pop_awake());
  }
  was_interrupted_ = was_interrupted_ || is_interrupted();
}

}  // namespace control::replay
