// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <chrono>
#include <unordered_map>

#include "control/store/rows.hpp"

namespace control::api {

// A bucket for each token: so many requests a second, and a burst of as many. One owner.
class RateLimiter {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit RateLimiter(double per_second) : per_second_(per_second) {}

  // Whether one more is fine.
  [[nodiscard]] bool take(store::TokenNumber token, Time now) {
    Bucket& bucket = buckets_.try_emplace(token, Bucket{per_second_, now}).first->second;
    const std::chrono::duration<double> passed = now - bucket.since;
    bucket.left = std::min(per_second_, bucket.left + passed.count() * per_second_);
    bucket.since = now;
    if (bucket.left < 1) return false;
    bucket.left -= 1;
    return true;
  }

 private:
  struct Bucket {
    double left;
    Time since;
  };
  double per_second_;
  std::unordered_map<store::TokenNumber, Bucket> buckets_;  // as many as there are tokens
};

}  // namespace control::api
