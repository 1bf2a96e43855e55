// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "control/binding_set.hpp"
#include "control/daemon/data_plane.hpp"
#include "control/daemon/swap.hpp"
#include "control/delta.hpp"
#include "dataplane/table.hpp"

namespace control::daemon {

// A table and what belongs to it, ready to be put in force. Made ahead, by any thread, so that
// nothing is left that could fail.
struct Prepared {
  std::unique_ptr<const dataplane::Table> table;
  // The prefixes whose state is another than before.
  std::map<lpm::AnyPrefix, PrefixState> prefixes;
  // In all.
  std::size_t prefix_count = 0;
  std::size_t binding_count = 0;
  // Called when the table, or a later one that has its changes, is active.
  std::list<std::function<void(const Active&)>> done;
};
// bindings: as the table has them. Throws std::bad_alloc.
[[nodiscard]] Prepared prepared(std::unique_ptr<const dataplane::Table> table, const Delta& delta,
                                const BindingSet& bindings);

// Puts tables in force, in the order that no packet is lost or taken from the kernel without
// somebody who knows it (semantics, section 4):
//   1. XDP programs let go of prefixes that are gone, and of what settings leave to the kernel
//   2. the workers receive what had been taken until then
//   3. the table is published: one atomic step
//   4. every worker has passed a quiescent state: the generation is active
//   5. XDP programs take the prefixes that are new
// Nothing here waits: each step is a callback of the control thread. One table at a time: those
// that come meanwhile become one, the newest, with the changes of all. What this costs goes with
// the changes, not with what is bound.
class Publication {
 public:
  // active: called with each generation that is, before those who wait for it are told.
  Publication(boost::asio::io_context& control, DataPlane& data_plane,
              std::function<void(std::uint64_t)> active);

  // The first table, which workers have from their start; next.table is null.
  void begin(Prepared first);

  // next: of a higher generation than any before.
  void publish(Prepared next);

  void set_grace_timeout(std::chrono::milliseconds timeout) noexcept {
    swap_.set_grace_timeout(timeout);
  }

  // For any thread.
  struct View {
    std::uint64_t published = 0;
    std::uint64_t active = 0;
    // Of the active one.
    std::size_t prefixes = 0;
    std::size_t bindings = 0;
  };
  [[nodiscard]] View view() const;
  [[nodiscard]] const Histogram& publish_times() const noexcept { return swap_.publish_times(); }
  [[nodiscard]] const Histogram& grace_times() const noexcept { return swap_.grace_times(); }
  [[nodiscard]] std::uint64_t late_workers() const noexcept {
    return late_workers_.load(std::memory_order_relaxed);
  }

 private:
  using Clock = std::chrono::steady_clock;

  void let_go();
  void await_drained();
  void put_in_force();
  void finish(const Active& active);
  void alarm();
  void take();
  void take_as(PrefixState state);
  void after(std::chrono::nanoseconds delay, void (Publication::*step)());

  boost::asio::steady_timer timer_;
  DataPlane& data_plane_;
  Swap swap_;
  std::function<void(std::uint64_t)> active_;

  bool is_under_way_ = false;
  Prepared next_;                    // where one is under way
  std::optional<Prepared> waiting_;  // the one after it
  // Prefixes that the XDP programs' map has refused to take or to let go; with the next table it is
  // asked again.
  std::vector<lpm::AnyPrefix> giving_way_;  // to shorter ones, when the table is in force
  std::map<lpm::AnyPrefix, PrefixState> refused_;
  bool has_new_policy_ = false;
  bool is_alarmed_ = false;
  Clock::time_point step_began_;
  DataPlane::Moment let_go_at_;
  DataPlane::Moment rounds_at_publication_;

  std::atomic<std::uint64_t> late_workers_{0};
  mutable std::mutex mutex_;
  View view_;  // under mutex_
};

}  // namespace control::daemon
