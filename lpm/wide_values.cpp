// SPDX-License-Identifier: BSD-3-Clause
#include "lpm/wide_values.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace lpm::detail {

Word WideValues::take(Value value) {
  if (value < kWideValue) return value;
  steps_.reserve(steps_.size() + 1 > steps_.capacity() ? 2 * steps_.size() + 16 : 0);
  const auto [known, is_new] = places_.try_emplace(value, 0);
  if (is_new) {
    try {
      known->second = free_place();
    } catch (const std::bad_alloc&) {
      places_.erase(known);
      throw;
    }
    // Nobody reads a place before the generation that names it is published.
    arena_.at<Value>(line_)[known->second] = value;
  }
  const std::uint32_t place = known->second;
  ++counts_[place];
  steps_.push_back({place, +1});
  return kWideValue | place;
}

void WideValues::drop(Word word) {
  if ((word & kWideValue) == 0) return;
  const std::uint32_t place = word & ~kWideValue;
  steps_.push_back({place, -1});
  --counts_[place];
}

std::uint32_t WideValues::free_place() {
  if (!free_.empty()) {
    const std::uint32_t place = free_.back();
    free_.pop_back();
    return place;
  }
  const std::size_t place = counts_.size();
  if (place == capacity_) {
    const std::size_t capacity = capacity_ == 0 ? 64 : 2 * capacity_;
    free_.reserve(capacity);
    retired_.reserve(capacity);
    counts_.reserve(capacity);
    const Line grown =
        arena_.allocate(static_cast<std::uint32_t>(capacity * sizeof(Value) / kLineBytes));
    if (capacity_ != 0) {
      std::memcpy(arena_.at(grown), arena_.at(line_), capacity_ * sizeof(Value));
      arena_.give_up(line_);
    }
    line_ = grown;
    capacity_ = capacity;
  }
  counts_.push_back(0);
  return static_cast<std::uint32_t>(place);
}

bool WideValues::is_unused(std::uint32_t place) const noexcept {
  if (counts_[place] != 0) return false;
  const auto known = places_.find(arena_.at<const Value>(line_)[place]);
  return known != places_.end() && known->second == place;
}

void WideValues::commit(std::uint64_t generation) noexcept {
  for (const Step& step : steps_) {
    if (!is_unused(step.place)) continue;
    places_.erase(arena_.at<const Value>(line_)[step.place]);
    retired_.push_back({generation, step.place});
  }
  steps_.clear();
  line_before_ = line_;
  capacity_before_ = capacity_;
}

void WideValues::rollback() noexcept {
  for (const Step& step : steps_) counts_[step.place] -= static_cast<std::uint32_t>(step.change);
  for (const Step& step : steps_) {
    if (!is_unused(step.place)) continue;
    places_.erase(arena_.at<const Value>(line_)[step.place]);
    free_.push_back(step.place);
  }
  steps_.clear();
  line_ = line_before_;
  // Places beyond the old block are free, but have no memory any more.
  if (capacity_ != capacity_before_) {
    capacity_ = capacity_before_;
    counts_.resize(std::min(counts_.size(), capacity_));
    std::erase_if(free_, [this](std::uint32_t place) { return place >= capacity_; });
  }
}

void WideValues::reclaim(std::uint64_t up_to) noexcept {
  std::erase_if(retired_, [&](const Retired& retired) {
    if (retired.generation > up_to) return false;
    free_.push_back(retired.place);
    return true;
  });
}

}  // namespace lpm::detail
