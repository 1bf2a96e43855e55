// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "control/numbering.hpp"
#include "dataplane/counters.hpp"

namespace control {

// What can be told of a binding's traffic only by looking at its counters again and again: how fast
// they grow, and when they last did. Workers write nothing but packets and bytes.
//
// One thread samples, pass after pass over all numbers; any number of threads ask. A pass over a
// million bindings of one worker took 25 ns for each, the first, which touches the memory, 270.
//
// Memory: 32 bytes a possible number, address space until it is used.
class Activity {
 public:
  using Clock = std::chrono::steady_clock;

  // numbering: outlives this. Throws std::bad_alloc.
  explicit Activity(const Numbering& numbering);

  // --- the sampling thread's

  // Looks at the next kNumbersAtOnce numbers. True: with them the pass over all has ended.
  bool sample_some(Clock::time_point now);
  static constexpr std::uint32_t kNumbersAtOnce = 1024;

  // --- any thread's

  struct Seen {
    dataplane::Volume counted;  // since the binding got its number
    double packets_per_second = 0;
    double bits_per_second = 0;
    std::optional<Clock::time_point> last;  // empty: never
  };
  // Of the binding on exactly this CIDR. counted is of this moment, rates are those between the
  // last two looks, and `last` is as late as one pass at most. O(1), plus O(workers).
  [[nodiscard]] std::optional<Seen> find(const lpm::AnyPrefix& cidr, Clock::time_point now) const;

  enum class Order : std::uint8_t { packets, rate };
  // As of the last pass, the busiest first; at most kBusiestMax, none of them without packets (for
  // Order::rate: now). A binding may have gone since.
  [[nodiscard]] std::shared_ptr<const std::vector<lpm::AnyPrefix>> busiest(Order order) const;
  static constexpr std::size_t kBusiestMax = 10'000;

 private:
  // By number. Everything is of the tenure that is named.
  struct Sample {
    dataplane::Volume counted;
    float packets_per_second;
    float bits_per_second;
    std::uint32_t tenure;
    std::uint32_t last;  // tenths of a second since began_, plus 1; 0: never
  };
  static_assert(sizeof(Sample) == 32);
  struct Candidate {
    double rank;
    lpm::AnyPrefix cidr;
  };
  // The kBusiestMax greatest of those that were offered.
  class Ranking {
   public:
    void offer(double rank, const lpm::AnyPrefix& cidr);
    [[nodiscard]] std::vector<lpm::AnyPrefix> take();

   private:
    std::vector<Candidate> heap_;  // the least first, once it is full
  };
  using List = std::shared_ptr<const std::vector<lpm::AnyPrefix>>;
  struct Free {
    void operator()(void* memory) const noexcept { std::free(memory); }
  };

  void look_at(const Numbering::Tenant& tenant, Clock::time_point now, double seconds);
  void end_pass();
  [[nodiscard]] std::uint32_t tenths_at(Clock::time_point now) const noexcept;

  const Numbering& numbering_;
  Clock::time_point began_ = Clock::now();
  // The sampling thread's.
  std::uint32_t next_ = 1;
  std::vector<Numbering::Tenant> tenants_;
  std::vector<Clock::time_point> looked_;  // when, by number / kNumbersAtOnce
  Ranking by_packets_;
  Ranking by_rate_;

  mutable std::mutex mutex_;  // held for kNumbersAtOnce numbers at most
  std::unique_ptr<Sample[], Free> samples_;
  List busiest_by_packets_;
  List busiest_by_rate_;
};

}  // namespace control
