// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/publication.hpp"

#include <algorithm>
#include <utility>

#include "control/compile.hpp"
#include "control/daemon/log.hpp"

namespace control::daemon {
namespace {

using dataplane::Settings;
using dataplane::xdp::Onboarding;
using log::Module;
using std::chrono::microseconds;
using std::chrono::milliseconds;

// The first look at the workers comes after the time of a burst; then less and less often, so that
// a worker that is slow or stuck costs nothing.
constexpr microseconds kFirstCheck{10};
constexpr milliseconds kCheckMax{1};
// A packet may be on its way between the XDP program and its socket: far less than this.
constexpr milliseconds kFlight{1};
constexpr milliseconds kDrainMax{100};

// Where the old or the new setting leaves packets to the kernel, they are left there meanwhile.
Settings least_taking(const Settings& before, const Settings& after) {
  Settings least = after;
  if (before.unmatched == Settings::Unknown::kernel) least.unmatched = before.unmatched;
  if (before.egress_unknown == Settings::Unknown::kernel)
    least.egress_unknown = before.egress_unknown;
  return least;
}

std::vector<lpm::AnyPrefix> in_state(const std::map<lpm::AnyPrefix, Onboarding>& prefixes,
                                     Onboarding state) {
  std::vector<lpm::AnyPrefix> of_state;
  for (const auto& [prefix, is] : prefixes)
    if (is == state) of_state.push_back(prefix);
  return of_state;
}

// A refusal means that the map has no room: the table is in force, and the kernel keeps the
// packets.
void onboard(dataplane::xdp::PrefixMap& map, const std::vector<lpm::AnyPrefix>& prefixes,
             Onboarding state) {
  if (prefixes.empty()) return;
  if (const auto done = map.onboard(prefixes, state); !done)
    log::error(Module::xdp, "prefixes stay with the kernel: {}", done.error().message);
}

}  // namespace

Prepared prepare(const BindingSet& bindings, const Settings& settings, std::uint64_t generation) {
  CompiledTable compiled = compile(bindings, settings, generation);
  Prepared prepared{.table = std::move(compiled.table),
                    .bindings_by_number = std::move(compiled.bindings_by_number),
                    .prefixes = {}};
  for (const auto& [prefix, own] : bindings.prefixes())
    prepared.prefixes.emplace_hint(prepared.prefixes.end(), prefix,
                                   own->empty() ? Onboarding::pending : Onboarding::steered);
  return prepared;
}

Publication::Publication(boost::asio::io_context& control, DataPlane& data_plane)
    : timer_(control), data_plane_(data_plane) {}

void Publication::after(std::chrono::nanoseconds delay, void (Publication::*step)()) {
  timer_.expires_after(delay);
  timer_.async_wait([this, step](const boost::system::error_code& cancelled) {
    if (!cancelled) (this->*step)();
  });
}

void Publication::begin(Prepared first) {
  next_ = std::move(first);
  const std::uint64_t generation = data_plane_.publisher().current().generation();
  {
    const std::lock_guard lock(mutex_);
    view_.published = generation;
  }
  take();
  const std::lock_guard lock(mutex_);
  view_.active = generation;
}

void Publication::publish(Prepared next, std::function<void(const Active&)> done) {
  next_ = std::move(next);
  done_ = std::move(done);
  let_go();
}

void Publication::let_go() {
  dataplane::xdp::PrefixMap* const map = data_plane_.prefixes();
  const Settings& old = data_plane_.publisher().current().settings();
  const Settings& wanted = next_.table->settings();
  const bool leaves_more =
      (wanted.unmatched == Settings::Unknown::kernel && old.unmatched != wanted.unmatched) ||
      (wanted.egress_unknown == Settings::Unknown::kernel &&
       old.egress_unknown != wanted.egress_unknown);
  std::vector<lpm::AnyPrefix> gone;
  std::vector<lpm::AnyPrefix> pending;
  if (map != nullptr) {
    for (const auto& [prefix, state] : map->prefixes()) {
      const auto kept = next_.prefixes.find(prefix);
      if (kept == next_.prefixes.end())
        gone.push_back(prefix);
      else if (kept->second == Onboarding::pending && state == Onboarding::steered)
        pending.push_back(prefix);
    }
  }
  if (map == nullptr || (gone.empty() && pending.empty() && !leaves_more)) {
    put_in_force();
    return;
  }
  if (leaves_more) data_plane_.configure_programs(dataplane::Policy(least_taking(old, wanted)));
  if (const auto done = map->offboard(gone); !done)
    log::error(Module::xdp, "prefixes are still taken from the kernel: {}", done.error().message);
  onboard(*map, pending, Onboarding::pending);
  step_began_ = Clock::now();
  let_go_at_ = data_plane_.now();
  after(kFlight, &Publication::await_drained);
}

void Publication::await_drained() {
  const bool is_late = Clock::now() - step_began_ > kDrainMax;
  if (is_late)
    log::warning(Module::publish,
                 "the workers are behind: some packets to prefixes that are gone will be decided "
                 "by the table that does not have them");
  else if (!data_plane_.is_drained(let_go_at_)) {
    after(kFlight, &Publication::await_drained);
    return;
  }
  put_in_force();
}

void Publication::put_in_force() {
  const std::uint64_t generation = next_.table->generation();
  const Clock::time_point began = Clock::now();
  data_plane_.publisher().publish(std::move(next_.table));
  published_at_ = Clock::now();
  publish_times_.add(published_at_ - began);
  {
    const std::lock_guard lock(mutex_);
    view_.published = generation;
  }
  is_alarmed_ = false;
  check_interval_ = kFirstCheck;
  rounds_at_publication_.clear();
  for (std::size_t w = 0; w < data_plane_.worker_count(); ++w)
    rounds_at_publication_.push_back(
        data_plane_.worker(w).progress().rounds.load(std::memory_order_relaxed));
  await_grace();
}

void Publication::await_grace() {
  const std::uint64_t active = data_plane_.publisher().reclaim();
  const std::chrono::nanoseconds waited = Clock::now() - published_at_;
  if (active != data_plane_.publisher().current().generation()) {
    if (waited > grace_timeout_ && !is_alarmed_) alarm();
    after(check_interval_, &Publication::await_grace);
    check_interval_ = std::min<std::chrono::nanoseconds>(check_interval_ * 2, kCheckMax);
    return;
  }
  grace_times_.add(waited);
  if (is_alarmed_) log::notice(Module::publish, "all workers have passed");
  take();
  {
    const std::lock_guard lock(mutex_);
    view_.active = active;
  }
  std::exchange(done_, nullptr)({.generation = active, .since_published = waited});
}

void Publication::alarm() {
  is_alarmed_ = true;
  for (std::size_t w = 0; w < data_plane_.worker_count(); ++w) {
    const dataplane::dpdk::Progress& progress = data_plane_.worker(w).progress();
    if (progress.is_asleep.load(std::memory_order_relaxed) ||
        progress.rounds.load(std::memory_order_relaxed) != rounds_at_publication_[w])
      continue;
    late_workers_.fetch_add(1, std::memory_order_relaxed);
    const auto& cpu = data_plane_.layout().workers[w].cpu;
    log::error(Module::publish,
               "worker {} ({}) has been stuck for {} ms: generation {} is published, but not "
               "active until it goes on",
               w, cpu ? "CPU " + std::to_string(*cpu) : "any CPU", grace_timeout_.count(),
               data_plane_.publisher().current().generation());
  }
}

void Publication::take() {
  const std::size_t prefixes = next_.prefixes.size();
  if (dataplane::xdp::PrefixMap* const map = data_plane_.prefixes()) {
    const auto is_in = [map](const auto& prefix) {
      const auto in = map->prefixes().find(prefix.first);
      return in != map->prefixes().end() && in->second == prefix.second;
    };
    std::erase_if(next_.prefixes, is_in);
    onboard(*map, in_state(next_.prefixes, Onboarding::pending), Onboarding::pending);
    onboard(*map, in_state(next_.prefixes, Onboarding::steered), Onboarding::steered);
    data_plane_.configure_programs(data_plane_.publisher().current().policy());
  }
  const std::lock_guard lock(mutex_);
  view_.prefixes = prefixes;
  view_.bindings_by_number =
      std::make_shared<const std::vector<Binding>>(std::move(next_.bindings_by_number));
}

Publication::View Publication::view() const {
  const std::lock_guard lock(mutex_);
  return view_;
}

}  // namespace control::daemon
