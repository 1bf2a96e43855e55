// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "control/daemon/histogram.hpp"
#include "dataplane/dpdk/publisher.hpp"

namespace control::daemon {

// One generation, and what follows from it being in force for every worker.
struct Active {
  std::uint64_t generation = 0;
  std::chrono::nanoseconds since_published{0};  // until every worker had passed
};

// Publishes one table and tells when it is active: by looking at the workers from the event loop,
// at once, then after times that double. Nothing waits, and nothing spins.
//
// One owner, the thread of the event loop. The histograms are for any thread.
class Swap {
 public:
  Swap(boost::asio::io_context& control, dataplane::dpdk::Publisher& publisher);

  // active: called once, from the event loop. late: called from it when the grace timeout is over
  // and some worker has not passed; `active` still follows if it does. Precondition:
  // !is_under_way().
  void publish(std::unique_ptr<const dataplane::Table> next,
               std::function<void(const Active&)> active, std::function<void()> late);
  [[nodiscard]] bool is_under_way() const noexcept { return active_ != nullptr; }

  void set_grace_timeout(std::chrono::milliseconds timeout) noexcept { grace_timeout_ = timeout; }
  [[nodiscard]] std::chrono::milliseconds grace_timeout() const noexcept { return grace_timeout_; }

  [[nodiscard]] const Histogram& publish_times() const noexcept { return publish_times_; }
  [[nodiscard]] const Histogram& grace_times() const noexcept { return grace_times_; }

 private:
  using Clock = std::chrono::steady_clock;

  void look();

  dataplane::dpdk::Publisher& publisher_;
  boost::asio::steady_timer timer_;
  std::chrono::milliseconds grace_timeout_{1000};
  std::function<void(const Active&)> active_;
  std::function<void()> late_;
  Clock::time_point published_at_;
  std::chrono::nanoseconds interval_{0};
  Histogram publish_times_;  // the atomic step, and what is around it
  Histogram grace_times_;
};

}  // namespace control::daemon
