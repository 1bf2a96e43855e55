// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/publication.hpp"

#include <utility>

#include "control/daemon/log.hpp"

namespace control::daemon {
namespace {

using dataplane::Settings;
using dataplane::xdp::Onboarding;
using log::Module;
using std::chrono::milliseconds;

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

PrefixState state_in(const dataplane::xdp::PrefixMap& map, const lpm::AnyPrefix& prefix) {
  const auto in = map.prefixes().find(prefix);
  if (in == map.prefixes().end()) return PrefixState::absent;
  return in->second == Onboarding::steered ? PrefixState::steered : PrefixState::pending;
}

Onboarding onboarding_of(PrefixState state) {
  return state == PrefixState::steered ? Onboarding::steered : Onboarding::pending;
}

using Changed = std::map<lpm::AnyPrefix, PrefixState>;

bool is_new(const dataplane::xdp::PrefixMap& map, const Changed::value_type& changed) {
  return changed.second != PrefixState::absent &&
         state_in(map, changed.first) == PrefixState::absent;
}

// The new prefix around one that goes, or the end.
Changed::const_iterator new_around(const dataplane::xdp::PrefixMap& map, const Changed& changed,
                                   const lpm::AnyPrefix& gone) {
  return std::visit(
      [&](const auto& prefix) {
        for (unsigned length = prefix.length(); length-- > 0;) {
          const auto around = changed.find(prefix.enclosing(prefix.network(), length));
          if (around != changed.end() && is_new(map, *around)) return around;
        }
        return changed.end();
      },
      gone);
}

bool contains(const lpm::AnyPrefix& outer, const lpm::AnyPrefix& inner) {
  return std::visit(
      [&inner](const auto& prefix) {
        const auto* const same = std::get_if<std::decay_t<decltype(prefix)>>(&inner);
        return same != nullptr && prefix.contains(*same);
      },
      outer);
}

}  // namespace

Prepared prepared(std::unique_ptr<const dataplane::Table> table, const Delta& delta,
                  const BindingSet& bindings) {
  Prepared next{.table = std::move(table),
                .prefixes = {},
                .prefix_count = bindings.prefixes().size(),
                .binding_count = bindings.binding_count(),
                .done = {}};
  for (const Delta::OfPrefix& prefix : delta.prefixes)
    next.prefixes.emplace_hint(next.prefixes.end(), prefix.prefix, prefix.after);
  return next;
}

Publication::Publication(boost::asio::io_context& control, DataPlane& data_plane,
                         std::function<void(std::uint64_t)> active)
    : timer_(control),
      data_plane_(data_plane),
      swap_(control, data_plane.publisher()),
      active_(std::move(active)),
      rounds_at_publication_(data_plane.worker_count()) {}

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
  has_new_policy_ = true;
  take();
  const std::lock_guard lock(mutex_);
  view_.active = generation;
}

void Publication::publish(Prepared next) {
  if (is_under_way_) {
    if (waiting_) {
      // What is later wins.
      next.prefixes.merge(waiting_->prefixes);
      next.done.splice(next.done.begin(), waiting_->done);
    }
    waiting_ = std::move(next);
    return;
  }
  is_under_way_ = true;
  next_ = std::move(next);
  let_go();
}

void Publication::let_go() {
  dataplane::xdp::PrefixMap* const map = data_plane_.prefixes();
  const Settings& old = data_plane_.publisher().current().settings();
  const Settings& wanted = next_.table->settings();
  has_new_policy_ = &data_plane_.publisher().current().policy() != &next_.table->policy();
  const bool leaves_more =
      has_new_policy_ &&
      ((wanted.unmatched == Settings::Unknown::kernel && old.unmatched != wanted.unmatched) ||
       (wanted.egress_unknown == Settings::Unknown::kernel &&
        old.egress_unknown != wanted.egress_unknown));
  next_.prefixes.merge(refused_);
  refused_.clear();
  std::vector<lpm::AnyPrefix> gone;
  std::map<lpm::AnyPrefix, Onboarding> inside;  // of those that go
  std::vector<lpm::AnyPrefix> pending;
  giving_way_.clear();
  if (map != nullptr) {
    for (const auto& [prefix, wanted_state] : next_.prefixes) {
      const PrefixState state = state_in(*map, prefix);
      if (wanted_state == PrefixState::absent && state != PrefixState::absent) {
        // Where a longer prefix takes over, that comes at once: both tables know its addresses.
        // Where a shorter one does, the prefix stays until the table that knows the other is in
        // force.
        if (new_around(*map, next_.prefixes, prefix) != next_.prefixes.end()) {
          giving_way_.push_back(prefix);
          continue;
        }
        gone.push_back(prefix);
        for (auto it = next_.prefixes.lower_bound(prefix);
             it != next_.prefixes.end() && contains(prefix, it->first); ++it)
          if (is_new(*map, *it)) inside.emplace(it->first, onboarding_of(it->second));
      } else if (wanted_state == PrefixState::pending && state == PrefixState::steered)
        pending.push_back(prefix);
    }
  }
  if (map == nullptr || (gone.empty() && pending.empty() && !leaves_more)) {
    put_in_force();
    return;
  }
  if (leaves_more) data_plane_.configure_programs(dataplane::Policy(least_taking(old, wanted)));
  if (const auto done = map->replace(gone, inside); !done) {
    log::error(Module::xdp, "prefixes are still taken from the kernel: {}", done.error().message);
    for (const lpm::AnyPrefix& prefix : gone) refused_.emplace(prefix, PrefixState::absent);
  }
  if (!pending.empty())
    if (const auto done = map->onboard(pending, Onboarding::pending); !done)
      log::error(Module::xdp, "prefixes are still steered: {}", done.error().message);
  step_began_ = Clock::now();
  let_go_at_ = data_plane_.now();
  data_plane_.wake_workers();
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
  is_alarmed_ = false;
  swap_.publish(
      std::move(next_.table), [this](const Active& active) { finish(active); },
      [this] { alarm(); });
  for (std::size_t w = 0; w < rounds_at_publication_.size(); ++w)
    rounds_at_publication_[w] =
        data_plane_.worker(w).progress().rounds.load(std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  view_.published = generation;
}

void Publication::finish(const Active& active) {
  if (is_alarmed_) log::notice(Module::publish, "all workers have passed");
  take();
  {
    const std::lock_guard lock(mutex_);
    view_.active = active.generation;
  }
  active_(active.generation);
  is_under_way_ = false;
  const auto done = std::exchange(next_.done, {});
  if (waiting_) publish(*std::exchange(waiting_, std::nullopt));
  for (const auto& tell : done) tell(active);
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
               w, cpu ? "CPU " + std::to_string(*cpu) : "any CPU", swap_.grace_timeout().count(),
               data_plane_.publisher().current().generation());
  }
}

void Publication::take() {
  if (dataplane::xdp::PrefixMap* const map = data_plane_.prefixes(); map != nullptr) {
    std::map<lpm::AnyPrefix, Onboarding> around;
    for (const lpm::AnyPrefix& gone : giving_way_) {
      const auto it = new_around(*map, next_.prefixes, gone);
      // Where the map has it already, the old one simply goes.
      if (it == next_.prefixes.end()) continue;
      around.emplace(it->first, onboarding_of(it->second));
    }
    if (const auto done = map->replace(giving_way_, around); !done) {
      log::error(Module::xdp, "prefixes stay as they were: {}", done.error().message);
      for (const lpm::AnyPrefix& gone : giving_way_) refused_.emplace(gone, PrefixState::absent);
    }
    giving_way_.clear();
    take_as(PrefixState::pending);
    take_as(PrefixState::steered);
    if (has_new_policy_) data_plane_.configure_programs(data_plane_.publisher().current().policy());
  }
  next_.prefixes.clear();
  const std::lock_guard lock(mutex_);
  view_.prefixes = next_.prefix_count;
  view_.bindings = next_.binding_count;
}

void Publication::take_as(PrefixState state) {
  dataplane::xdp::PrefixMap& map = *data_plane_.prefixes();
  std::vector<lpm::AnyPrefix> taken;
  for (const auto& [prefix, wanted] : next_.prefixes)
    if (wanted == state && state_in(map, prefix) != state) taken.push_back(prefix);
  if (taken.empty()) return;
  const Onboarding as = onboarding_of(state);
  if (map.onboard(taken, as)) return;
  // There is room (MapRoom), but the kernel has no memory: one by one, so that those that it takes
  // do not wait for the others. The table is in force, and the kernel keeps the packets of what is
  // refused.
  for (const lpm::AnyPrefix& prefix : taken) {
    const auto done = map.onboard({&prefix, 1}, as);
    if (done) continue;
    log::error(Module::xdp, "{} stays with the kernel: {}", lpm::to_string(prefix),
               done.error().message);
    refused_.emplace(prefix, state);
  }
}

Publication::View Publication::view() const {
  const std::lock_guard lock(mutex_);
  return view_;
}

}  // namespace control::daemon
