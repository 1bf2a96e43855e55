// SPDX-License-Identifier: BSD-3-Clause
#include "lpm/memory.hpp"

#include <sys/mman.h>

#include <cstdint>
#include <new>
#include <utility>

namespace lpm {
namespace {

constexpr std::uintptr_t kChunkMask = Memory::kChunkBytes - 1;

// Address space only: it can be neither read nor written, and counts against no limit of memory.
std::byte* reserve_address_space(std::size_t bytes) {
  // One chunk more, so that an aligned range of the size lies inside; the rest is given back.
  const std::size_t padded = bytes + Memory::kChunkBytes;
  void* const mapped =
      mmap(nullptr, padded, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  auto* const begin = static_cast<std::byte*>(mapped);
  const std::size_t skipped =
      (Memory::kChunkBytes - (reinterpret_cast<std::uintptr_t>(begin) & kChunkMask)) & kChunkMask;
  if (skipped != 0) munmap(begin, skipped);
  munmap(begin + skipped + bytes, Memory::kChunkBytes - skipped);
  return begin + skipped;
}

class TransparentHugePages : public Memory {
 public:
  std::byte* reserve(std::size_t bytes) override { return reserve_address_space(bytes); }
  void commit(std::byte* at, std::size_t bytes) override {
    if (mprotect(at, bytes, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
    // Advice: where it is not taken, pages are small and lookups somewhat slower.
    (void)madvise(at, bytes, MADV_HUGEPAGE);
  }
  void release(std::byte* at, std::size_t reserved, std::size_t /*committed*/) noexcept override {
    munmap(at, reserved);
  }
};

class ReservedHugePages : public Memory {
 public:
  std::byte* reserve(std::size_t bytes) override { return reserve_address_space(bytes); }
  void commit(std::byte* at, std::size_t bytes) override {
    void* const mapped = mmap(at, bytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_FIXED, -1, 0);
    if (mapped != MAP_FAILED) return;
    // A failed MAP_FIXED may have taken away what was there.
    void* const reserved =
        mmap(at, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    (void)reserved;  // whether this succeeds or not, the memory is not there
    throw std::bad_alloc();
  }
  void release(std::byte* at, std::size_t reserved, std::size_t /*committed*/) noexcept override {
    munmap(at, reserved);
  }
};

class Limited : public Memory {
 public:
  Limited(std::shared_ptr<Memory> memory, std::size_t bytes)
      : memory_(std::move(memory)), left_(bytes) {}

  std::byte* reserve(std::size_t bytes) override { return memory_->reserve(bytes); }
  void commit(std::byte* at, std::size_t bytes) override {
    if (bytes > left_) throw std::bad_alloc();
    memory_->commit(at, bytes);
    left_ -= bytes;
  }
  void release(std::byte* at, std::size_t reserved, std::size_t committed) noexcept override {
    memory_->release(at, reserved, committed);
    left_ += committed;
  }

 private:
  std::shared_ptr<Memory> memory_;
  std::size_t left_;
};

}  // namespace

std::shared_ptr<Memory> transparent_huge_pages() {
  static const auto kMemory = std::make_shared<TransparentHugePages>();
  return kMemory;
}

std::shared_ptr<Memory> reserved_huge_pages() {
  static const auto kMemory = std::make_shared<ReservedHugePages>();
  return kMemory;
}

std::shared_ptr<Memory> limited(std::shared_ptr<Memory> memory, std::size_t bytes) {
  return std::make_shared<Limited>(std::move(memory), bytes);
}

}  // namespace lpm
