// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <memory>

namespace lpm {

// Where the pages of tables come from. Given to a table when it is made, so that a program decides
// which pages its tables lie in; lpm itself knows of no other allocator for what readers touch.
//
// Called by the one writer of a table, never by a reader; not from two threads at once.
class Memory {
 public:
  // Sizes and addresses handed to an implementation are multiples of this: a huge page of x86-64.
  static constexpr std::size_t kChunkBytes = std::size_t{2} << 20;

  Memory() = default;
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  virtual ~Memory() = default;

  // Address space for a table to grow in, aligned to kChunkBytes. Costs no memory yet. Throws
  // std::bad_alloc.
  [[nodiscard]] virtual std::byte* reserve(std::size_t bytes) = 0;
  // Backs part of a reservation with zeroed memory. Throws std::bad_alloc, and then has done
  // nothing.
  virtual void commit(std::byte* at, std::size_t bytes) = 0;
  // Gives a whole reservation back. committed: how much of it, from its start, is backed.
  virtual void release(std::byte* at, std::size_t reserved, std::size_t committed) noexcept = 0;
};

// Ordinary memory, in transparent huge pages where the kernel grants them (madvise). This is what a
// table uses that was given no other.
[[nodiscard]] std::shared_ptr<Memory> transparent_huge_pages();

// Pages of the pool that the administrator reserved (vm.nr_hugepages), never swapped or split.
// Throws std::bad_alloc from commit() where the pool is empty.
[[nodiscard]] std::shared_ptr<Memory> reserved_huge_pages();

// No more than `bytes` at any time, whatever is left in `memory`: a bound on what tables may take.
[[nodiscard]] std::shared_ptr<Memory> limited(std::shared_ptr<Memory> memory, std::size_t bytes);

}  // namespace lpm
