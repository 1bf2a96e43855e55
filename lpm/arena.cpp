// SPDX-License-Identifier: BSD-3-Clause
#include "lpm/arena.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace lpm::detail {
namespace {

// Address space for one table: as much as a Word can name (node.hpp). Where the process may
// not reserve that much, half of it is tried, and so on.
constexpr std::size_t kReservedBytesMax = std::size_t{4} << 30;
constexpr std::size_t kReservedBytesMin = std::size_t{64} << 20;

std::size_t in_chunks(std::size_t bytes) {
  return (bytes + Memory::kChunkBytes - 1) / Memory::kChunkBytes * Memory::kChunkBytes;
}

}  // namespace

Arena::Arena(std::shared_ptr<Memory> memory) : memory_(std::move(memory)) {
  for (std::size_t bytes = kReservedBytesMax; base_ == nullptr; bytes /= 2) {
    try {
      base_ = memory_->reserve(bytes);
      reserved_lines_ = bytes / kLineBytes;
    } catch (const std::bad_alloc&) {
      if (bytes / 2 < kReservedBytesMin) throw;
    }
  }
  try {
    grow(1);
  } catch (...) {
    memory_->release(base_, reserved_lines_ * kLineBytes, 0);
    throw;
  }
}

Arena::~Arena() {
  memory_->release(base_, reserved_lines_ * kLineBytes, committed_lines_ * kLineBytes);
}

void Arena::grow(std::size_t lines) {
  const std::size_t bytes = in_chunks((next_line_ + lines - committed_lines_) * kLineBytes);
  if (committed_lines_ + bytes / kLineBytes > reserved_lines_) throw std::bad_alloc();
  const std::size_t committed = committed_lines_ + bytes / kLineBytes;
  if (info_.size() < committed) info_.resize(committed);
  memory_->commit(base_ + committed_lines_ * kLineBytes, bytes);
  committed_lines_ = committed;
}

Arena::Size& Arena::size_of(std::uint32_t lines) {
  return lines <= kSmallLines ? small_[lines] : large_[lines];
}

Line Arena::allocate(std::uint32_t lines) {
  Size& size = size_of(lines);
  made_.reserve(made_.size() + 1 > made_.capacity() ? 2 * made_.capacity() + 64 : 0);
  Line line = 0;
  if (!size.free.empty()) {
    line = size.free.back();
    size.free.pop_back();
  } else {
    if (size.free.capacity() < size.blocks + 1) size.free.reserve(2 * size.blocks + 16);
    if (next_line_ + lines > committed_lines_) grow(lines);
    line = static_cast<Line>(next_line_);
    next_line_ += lines;
    ++size.blocks;
  }
  made_.push_back(line);
  used_lines_ += lines;
  info_[line] = lines | kNew;
  return line;
}

void Arena::free(Line line) noexcept {
  const std::uint32_t lines = lines_of(line);
  info_[line] = lines;
  used_lines_ -= lines;
  size_of(lines).free.push_back(line);
}

void Arena::give_up(Line line) {
  if (is_new(line)) {
    free(line);
    return;
  }
  // So that commit() cannot fail.
  if (retired_.size() == retired_.capacity()) retired_.reserve(2 * retired_.size() + 8);
  given_up_.push_back(line);
  given_up_lines_ += lines_of(line);
}

void Arena::commit(std::uint64_t generation) noexcept {
  for (const Line line : made_) info_[line] &= ~kNew;
  made_.clear();
  if (given_up_.empty()) return;
  retired_lines_ += std::exchange(given_up_lines_, 0);
  retired_.push_back({generation, std::exchange(given_up_, {})});
}

void Arena::rollback() noexcept {
  // A block that was made, freed and made again is noted twice, but free at the second time.
  for (const Line line : made_)
    if (is_new(line)) free(line);
  made_.clear();
  given_up_.clear();
  given_up_lines_ = 0;
}

void Arena::reclaim(std::uint64_t up_to) noexcept {
  const auto kept =
      std::ranges::find_if(retired_, [&](const Retired& r) { return r.generation > up_to; });
  for (auto it = retired_.begin(); it != kept; ++it) {
    for (const Line line : it->blocks) {
      retired_lines_ -= lines_of(line);
      free(line);
    }
  }
  retired_.erase(retired_.begin(), kept);
}

std::size_t Arena::bookkeeping_bytes() const noexcept {
  std::size_t bytes = info_.capacity() * sizeof(std::uint32_t) +
                      (made_.capacity() + given_up_.capacity()) * sizeof(Line);
  for (const Size& size : small_) bytes += size.free.capacity() * sizeof(Line);
  for (const auto& [lines, size] : large_) bytes += size.free.capacity() * sizeof(Line);
  for (const Retired& retired : retired_) bytes += retired.blocks.capacity() * sizeof(Line);
  return bytes;
}

}  // namespace lpm::detail
