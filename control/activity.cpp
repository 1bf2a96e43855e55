// SPDX-License-Identifier: BSD-3-Clause
#include "control/activity.hpp"

#include <algorithm>
#include <functional>
#include <new>
#include <utility>

namespace control {
namespace {

using Seconds = std::chrono::duration<double>;
using Tenths = std::chrono::duration<std::uint32_t, std::deci>;

// Between looks that are closer than this a rate would be noise.
constexpr double kSecondsMin = 0.01;

}  // namespace

Activity::Activity(const Numbering& numbering)
    : numbering_(numbering),
      looked_(numbering.bindings_max() / kNumbersAtOnce + 1),
      samples_(static_cast<Sample*>(
          std::calloc(std::size_t{numbering.bindings_max()} + 1, sizeof(Sample)))),
      busiest_by_packets_(std::make_shared<const std::vector<lpm::AnyPrefix>>()),
      busiest_by_rate_(busiest_by_packets_) {
  if (samples_ == nullptr) throw std::bad_alloc();
  tenants_.reserve(kNumbersAtOnce);
}

bool Activity::sample_some(Clock::time_point now) {
  tenants_.clear();
  const bool is_last = !numbering_.read(next_, kNumbersAtOnce, tenants_);
  Clock::time_point& looked = looked_[next_ / kNumbersAtOnce];
  const double seconds =
      looked == Clock::time_point() ? 0 : std::chrono::duration_cast<Seconds>(now - looked).count();
  looked = now;
  {
    const std::lock_guard lock(mutex_);
    for (const Numbering::Tenant& tenant : tenants_) look_at(tenant, now, seconds);
  }
  next_ += kNumbersAtOnce;
  if (!is_last) return false;
  end_pass();
  return true;
}

void Activity::look_at(const Numbering::Tenant& tenant, Clock::time_point now, double seconds) {
  Sample& sample = samples_[tenant.number];
  // What was counted by the number's last binding is not this one's.
  const bool is_new = sample.tenure != tenant.tenure;
  if (is_new) {
    sample = {};
    sample.tenure = tenant.tenure;
  }
  const std::uint64_t packets = tenant.counted.packets - sample.counted.packets;
  const std::uint64_t bytes = tenant.counted.bytes - sample.counted.bytes;
  const bool has_rate = seconds >= kSecondsMin;
  sample.packets_per_second =
      has_rate ? static_cast<float>(static_cast<double>(packets) / seconds) : 0;
  sample.bits_per_second =
      has_rate ? static_cast<float>(static_cast<double>(bytes) * 8 / seconds) : 0;
  if (packets != 0) sample.last = tenths_at(now);
  sample.counted = tenant.counted;
  if (tenant.counted.packets == 0) return;
  by_packets_.offer(static_cast<double>(tenant.counted.packets), tenant.cidr);
  if (packets != 0) by_rate_.offer(sample.packets_per_second, tenant.cidr);
}

void Activity::end_pass() {
  next_ = 1;
  auto by_packets = std::make_shared<const std::vector<lpm::AnyPrefix>>(by_packets_.take());
  auto by_rate = std::make_shared<const std::vector<lpm::AnyPrefix>>(by_rate_.take());
  const std::lock_guard lock(mutex_);
  busiest_by_packets_ = std::move(by_packets);
  busiest_by_rate_ = std::move(by_rate);
}

std::uint32_t Activity::tenths_at(Clock::time_point now) const noexcept {
  return std::chrono::duration_cast<Tenths>(now - began_).count() + 1;
}

std::optional<Activity::Seen> Activity::find(const lpm::AnyPrefix& cidr,
                                             Clock::time_point now) const {
  const auto numbered = numbering_.find(cidr);
  if (!numbered) return std::nullopt;
  Seen seen;
  seen.counted = numbered->counted;
  Sample sample;
  {
    const std::lock_guard lock(mutex_);
    sample = samples_[numbered->number];
  }
  const bool is_own = sample.tenure == numbered->tenure;
  const std::uint64_t sampled = is_own ? sample.counted.packets : 0;
  if (is_own) {
    seen.packets_per_second = sample.packets_per_second;
    seen.bits_per_second = sample.bits_per_second;
  }
  // The sampler may have looked later than we did, and have seen more.
  if (numbered->counted.packets > sampled)
    seen.last = now;
  else if (is_own && sample.last != 0)
    seen.last = began_ + Tenths(sample.last - 1);
  return seen;
}

std::shared_ptr<const std::vector<lpm::AnyPrefix>> Activity::busiest(Order order) const {
  const std::lock_guard lock(mutex_);
  return order == Order::packets ? busiest_by_packets_ : busiest_by_rate_;
}

void Activity::Ranking::offer(double rank, const lpm::AnyPrefix& cidr) {
  constexpr auto kByRank = std::ranges::greater();
  if (heap_.size() < kBusiestMax) {
    heap_.push_back({rank, cidr});
    if (heap_.size() == kBusiestMax) std::ranges::make_heap(heap_, kByRank, &Candidate::rank);
    return;
  }
  if (rank <= heap_.front().rank) return;
  std::ranges::pop_heap(heap_, kByRank, &Candidate::rank);
  heap_.back() = {rank, cidr};
  std::ranges::push_heap(heap_, kByRank, &Candidate::rank);
}

std::vector<lpm::AnyPrefix> Activity::Ranking::take() {
  std::ranges::sort(heap_, std::ranges::greater(), &Candidate::rank);
  std::vector<lpm::AnyPrefix> list;
  list.reserve(heap_.size());
  for (const Candidate& candidate : heap_) list.push_back(candidate.cidr);
  heap_.clear();
  return list;
}

}  // namespace control
