// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/swap.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

namespace control::daemon {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// The first look at the workers comes in the next turn of the loop, the second after the time of a
// burst; then less and less often, so that a worker that is slow or stuck costs nothing.
constexpr microseconds kFirstInterval{10};
constexpr milliseconds kIntervalMax{1};

}  // namespace

Swap::Swap(boost::asio::io_context& control, dataplane::dpdk::Publisher& publisher)
    : publisher_(publisher), timer_(control) {}

void Swap::publish(std::unique_ptr<const dataplane::Table> next,
                   std::function<void(const Active&)> active, std::function<void()> late) {
  const Clock::time_point began = Clock::now();
  publisher_.publish(std::move(next));
  published_at_ = Clock::now();
  publish_times_.add(published_at_ - began);
  active_ = std::move(active);
  late_ = std::move(late);
  interval_ = kFirstInterval;
  boost::asio::post(timer_.get_executor(), [this] { look(); });
}

void Swap::look() {
  const std::uint64_t active = publisher_.reclaim();
  const std::chrono::nanoseconds waited = Clock::now() - published_at_;
  if (active == publisher_.current().generation()) {
    grace_times_.add(waited);
    late_ = nullptr;
    std::exchange(active_, nullptr)({.generation = active, .since_published = waited});
    return;
  }
  if (waited > grace_timeout_ && late_) std::exchange(late_, nullptr)();
  timer_.expires_after(interval_);
  timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (!cancelled) look();
  });
  interval_ = std::min<std::chrono::nanoseconds>(interval_ * 2, kIntervalMax);
}

}  // namespace control::daemon
