// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "lpm/memory.hpp"

namespace lpm::detail {

// Number of a cache line of 64 bytes, counted from the arena's base. Line 0 is all zeros and never
// handed out: what points nowhere points there.
using Line = std::uint32_t;
inline constexpr std::size_t kLineBytes = 64;

// Blocks of whole cache lines that never move, for one writer. A change set is a transaction:
// blocks made in it are gone after rollback(), and blocks that it gave up stay as they are, for
// readers of the generations before, until reclaim().
//
// Blocks of one size are used again for that size, last freed first; the arena grows by chunks when
// there is none, and keeps what it has grown to.
class Arena {
 public:
  // Throws std::bad_alloc.
  explicit Arena(std::shared_ptr<Memory> memory);
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena();

  // Constant for the arena's life.
  [[nodiscard]] std::byte* base() const noexcept { return base_; }
  template <class T = std::byte>
  [[nodiscard]] T* at(Line line) const noexcept {
    return reinterpret_cast<T*>(base_ + line * kLineBytes);
  }

  // Contents are undefined. Throws std::bad_alloc, and then nothing has changed.
  [[nodiscard]] Line allocate(std::uint32_t lines);
  // A block of this transaction is free at once, an older one when its generation is reclaimed.
  // Throws std::bad_alloc, and then the block is not given up.
  void give_up(Line line);

  // Between transactions, for a block that no reader uses.
  void free_unused(Line line) noexcept { free(line); }

  [[nodiscard]] std::uint32_t lines_of(Line line) const noexcept { return info_[line] & ~kNew; }
  // Made in this transaction: no reader knows it, it may be changed in place.
  [[nodiscard]] bool is_new(Line line) const noexcept { return (info_[line] & kNew) != 0; }

  // Ends a transaction. `generation`: the last one whose readers may hold what was given up.
  void commit(std::uint64_t generation) noexcept;
  void rollback() noexcept;
  // No reader holds generation `up_to` or an older one any more.
  void reclaim(std::uint64_t up_to) noexcept;

  // Of blocks in use, but for those that were given up and wait for readers of older generations.
  [[nodiscard]] std::size_t used_bytes() const noexcept {
    return (used_lines_ - retired_lines_ - given_up_lines_) * kLineBytes;
  }
  [[nodiscard]] std::size_t retired_bytes() const noexcept { return retired_lines_ * kLineBytes; }
  // Taken from Memory for blocks.
  [[nodiscard]] std::size_t committed_bytes() const noexcept {
    return committed_lines_ * kLineBytes;
  }
  // The writer's notes about blocks.
  [[nodiscard]] std::size_t bookkeeping_bytes() const noexcept;

 private:
  // Of a block: made in the running transaction.
  static constexpr std::uint32_t kNew = std::uint32_t{1} << 31;

  struct Retired {
    std::uint64_t generation;
    std::vector<Line> blocks;
  };
  // The blocks of one size.
  struct Size {
    std::size_t blocks = 0;  // free or not
    std::vector<Line> free;  // has room for all, so that freeing cannot fail
  };
  // Sizes of up to this many lines are found by index, larger ones by search.
  static constexpr std::uint32_t kSmallLines = 32;

  [[nodiscard]] Size& size_of(std::uint32_t lines);
  void free(Line line) noexcept;
  void grow(std::size_t lines);

  std::shared_ptr<Memory> memory_;
  std::size_t reserved_lines_ = 0;
  std::size_t committed_lines_ = 0;
  std::size_t next_line_ = 1;  // lines from here on were never handed out
  std::size_t used_lines_ = 0;
  std::size_t retired_lines_ = 0;
  std::size_t given_up_lines_ = 0;
  std::byte* base_ = nullptr;
  std::vector<std::uint32_t> info_;  // by the first line of a block: how many it has, and kNew
  std::array<Size, kSmallLines + 1> small_;
  std::map<std::uint32_t, Size> large_;
  std::vector<Line> made_;      // in this transaction
  std::vector<Line> given_up_;  // in this transaction, but made before
  std::vector<Retired> retired_;
};

}  // namespace lpm::detail
