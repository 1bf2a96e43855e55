// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "control/binding.hpp"
#include "control/binding_set.hpp"
#include "control/daemon/data_plane.hpp"
#include "control/daemon/histogram.hpp"
#include "dataplane/table.hpp"

namespace control::daemon {

// A table and what belongs to it, ready to be put in force.
struct Prepared {
  std::unique_ptr<const dataplane::Table> table;
  std::vector<Binding> bindings_by_number;
  // The onboarded prefixes: whether each has its default binding.
  std::map<lpm::AnyPrefix, dataplane::xdp::Onboarding> prefixes;
};
[[nodiscard]] Prepared prepare(const BindingSet& bindings, const dataplane::Settings& settings,
                               std::uint64_t generation);

// Puts tables in force, in the order that no packet is lost or taken from the kernel without
// somebody who knows it (semantics, section 4):
//   1. XDP programs let go of prefixes that are gone, and of what settings leave to the kernel
//   2. the workers receive what had been taken until then
//   3. the table is published: one atomic step
//   4. every worker has passed a quiescent state: the generation is active
//   5. XDP programs take the prefixes that are new
// Nothing here waits: each step is a callback of the control thread. One change at a time.
class Publication {
 public:
  Publication(boost::asio::io_context& control, DataPlane& data_plane);

  // The first table, which workers have from their start.
  void begin(Prepared first);

  struct Active {
    std::uint64_t generation = 0;
    std::chrono::nanoseconds since_published{0};  // until every worker had passed
  };
  // done: called when all steps are done. Precondition: !is_under_way().
  void publish(Prepared next, std::function<void(const Active&)> done);
  [[nodiscard]] bool is_under_way() const noexcept { return done_ != nullptr; }

  void set_grace_timeout(std::chrono::milliseconds timeout) noexcept { grace_timeout_ = timeout; }

  // For any thread.
  struct View {
    std::uint64_t published = 0;
    std::uint64_t active = 0;
    std::size_t prefixes = 0;
    std::shared_ptr<const std::vector<Binding>> bindings_by_number;
  };
  [[nodiscard]] View view() const;
  [[nodiscard]] const Histogram& publish_times() const noexcept { return publish_times_; }
  [[nodiscard]] const Histogram& grace_times() const noexcept { return grace_times_; }
  [[nodiscard]] std::uint64_t late_workers() const noexcept {
    return late_workers_.load(std::memory_order_relaxed);
  }

 private:
  using Clock = std::chrono::steady_clock;

  void let_go();
  void await_drained();
  void put_in_force();
  void await_grace();
  void alarm();
  void take();
  void after(std::chrono::nanoseconds delay, void (Publication::*step)());

  boost::asio::steady_timer timer_;
  DataPlane& data_plane_;
  std::chrono::milliseconds grace_timeout_{1000};

  Prepared next_;
  std::function<void(const Active&)> done_;
  Clock::time_point step_began_;
  Clock::time_point published_at_;
  std::chrono::nanoseconds check_interval_{0};
  bool is_alarmed_ = false;
  DataPlane::Moment let_go_at_;
  DataPlane::Moment rounds_at_publication_;

  Histogram publish_times_;  // the atomic step, and what is around it
  Histogram grace_times_;
  std::atomic<std::uint64_t> late_workers_{0};
  mutable std::mutex mutex_;
  View view_;  // under mutex_
};

}  // namespace control::daemon
