// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace control::daemon {

// Durations by powers of two: bucket i holds those under 2^i us that bucket i - 1 does not, the
// last one all longer ones. Writer: the control thread. Readers: anybody; relaxed, a sample may be
// counted in one field and not yet in another.
class Histogram {
 public:
  static constexpr std::size_t kBuckets = 24;  // the last but one ends at 4 s

  void add(std::chrono::nanoseconds duration) noexcept {
    const auto us = static_cast<std::uint64_t>(duration.count()) / 1000;
    const auto bucket = static_cast<std::size_t>(std::bit_width(us));
    buckets_[bucket < kBuckets ? bucket : kBuckets - 1].fetch_add(1, std::memory_order_relaxed);
    sum_ns_.fetch_add(static_cast<std::uint64_t>(duration.count()), std::memory_order_relaxed);
  }

  [[nodiscard]] std::uint64_t bucket(std::size_t i) const noexcept {
    return buckets_[i].load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t count() const noexcept {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < kBuckets; ++i) count += bucket(i);
    return count;
  }
  [[nodiscard]] std::uint64_t sum_ns() const noexcept {
    return sum_ns_.load(std::memory_order_relaxed);
  }

 private:
  std::array<std::atomic<std::uint64_t>, kBuckets> buckets_{};
  std::atomic<std::uint64_t> sum_ns_{0};
};

}  // namespace control::daemon
