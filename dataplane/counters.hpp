// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "dataplane/verdict.hpp"

namespace dataplane {

// Packets and bytes. Bytes are those on the wire from the Ethernet header on, without preamble and
// frame check sequence.
struct Volume {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;

  Volume& operator+=(const Volume& other) noexcept {
    packets += other.packets;
    bytes += other.bytes;
    return *this;
  }
  friend bool operator==(const Volume&, const Volume&) = default;
};

// A Volume with one writer (a worker) and any number of readers. Relaxed, and a plain load and
// store instead of an atomic addition: nobody else writes, and nobody orders anything by a counter.
class Counter {
 public:
  void add(const Volume& volume) noexcept {
    packets_.store(packets_.load(std::memory_order_relaxed) + volume.packets,
                   std::memory_order_relaxed);
    bytes_.store(bytes_.load(std::memory_order_relaxed) + volume.bytes, std::memory_order_relaxed);
  }
  // packets and bytes are each right, but may be one burst apart.
  [[nodiscard]] Volume read() const noexcept {
    return {packets_.load(std::memory_order_relaxed), bytes_.load(std::memory_order_relaxed)};
  }

 private:
  std::atomic<std::uint64_t> packets_{0};
  std::atomic<std::uint64_t> bytes_{0};
};

// What one worker counted. Writer: that worker. Readers: anybody.
class alignas(64) Counters {
 public:
  // bindings_max: highest number of a binding that will be counted.
  explicit Counters(std::uint32_t bindings_max)
      : bindings_max_(bindings_max), bindings_(new Counter[std::size_t{bindings_max} + 1]) {}

  [[nodiscard]] Counter& received() noexcept { return received_; }
  [[nodiscard]] const Counter& received() const noexcept { return received_; }

  // One per verdict; their sum is received(), but for the burst under way.
  [[nodiscard]] Counter& of(Verdict verdict) noexcept {
    return verdicts_[static_cast<std::size_t>(verdict)];
  }
  [[nodiscard]] const Counter& of(Verdict verdict) const noexcept {
    return verdicts_[static_cast<std::size_t>(verdict)];
  }

  // The ingress traffic whose longest match a binding was, taken by its service or not. binding: 1
  // to bindings_max(); 0 takes what belongs to no binding and means nothing.
  [[nodiscard]] Counter& of_binding(std::uint32_t binding) noexcept { return bindings_[binding]; }
  [[nodiscard]] const Counter& of_binding(std::uint32_t binding) const noexcept {
    return bindings_[binding];
  }
  [[nodiscard]] std::uint32_t bindings_max() const noexcept { return bindings_max_; }

 private:
  Counter received_;
  std::array<Counter, kVerdicts> verdicts_;
  std::uint32_t bindings_max_;
  std::unique_ptr<Counter[]> bindings_;
};

}  // namespace dataplane
