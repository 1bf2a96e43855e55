// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/map_room.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>
#include <variant>

#include "control/daemon/interface.hpp"
#include "dataplane/xdp/prefix_map.hpp"

namespace control::daemon {
namespace {

using dataplane::xdp::PrefixMap;
using Prefixes = std::vector<lpm::AnyPrefix>;

bool is_strictly_inside(const lpm::AnyPrefix& inner, const lpm::AnyPrefix& outer) {
  return std::visit(
      [&inner](const auto& around) {
        const auto* const same = std::get_if<std::decay_t<decltype(around)>>(&inner);
        return same != nullptr && *same != around && around.contains(*same);
      },
      outer);
}

struct Overlapping {
  std::size_t added = 0;    // entries of added prefixes inside removed ones
  std::size_t removed = 0;  // entries of removed prefixes inside added ones
};
// Added prefixes do not overlap one another, removed ones may.
Overlapping count_overlapping(const Prefixes& added, Prefixes removed) {
  std::ranges::sort(removed);
  Overlapping count;
  // A prefix comes before everything inside it.
  const lpm::AnyPrefix* last_added = nullptr;
  const lpm::AnyPrefix* outer_removed = nullptr;
  const auto pass = [&](const lpm::AnyPrefix& gone) {
    if (last_added != nullptr && is_strictly_inside(gone, *last_added) &&
        PrefixMap::takes_entry(gone))
      ++count.removed;
    if (outer_removed == nullptr || !is_strictly_inside(gone, *outer_removed))
      outer_removed = &gone;
  };
  auto next = removed.begin();
  for (const lpm::AnyPrefix& prefix : added) {
    for (; next != removed.end() && *next < prefix; ++next) pass(*next);
    if (outer_removed != nullptr && is_strictly_inside(prefix, *outer_removed) &&
        PrefixMap::takes_entry(prefix))
      ++count.added;
    last_added = &prefix;
  }
  for (; next != removed.end(); ++next) pass(*next);
  return count;
}

}  // namespace

std::size_t MapRoom::Need::sum() const noexcept {
  return entries + overlapping + hosts + PrefixMap::kOwnEntries;
}

MapRoom::MapRoom(std::size_t entries_max, std::string ports, std::size_t hosts)
    : entries_max_(entries_max), ports_(std::move(ports)), states_(1), hosts_(hosts) {}

void MapRoom::for_each_under_way(auto visit) const noexcept {
  for (auto it = std::next(states_.begin()); it != states_.end(); ++it) visit(*it);
  for (const State& state : reserved_) visit(state);
}

MapRoom::Need MapRoom::need() const noexcept {
  std::size_t inside_old = 0;  // of what comes after a state
  std::size_t inside_new = 0;  // of what led to it
  for_each_under_way([&](const State& state) { inside_old += state.inside_old; });
  Need most{.entries = states_.front().entries, .overlapping = inside_old, .hosts = hosts_};
  for_each_under_way([&](const State& state) {
    inside_old -= state.inside_old;
    inside_new += state.inside_new;
    const Need need{
        .entries = state.entries, .overlapping = std::max(inside_old, inside_new), .hosts = hosts_};
    if (need.sum() > most.sum()) most = need;
  });
  return most;
}

std::string MapRoom::refusal(const Need& need) const {
  return fmt::format(
      "the XDP programs ({}) have room for {} prefixes longer than 24 bits and host addresses, and "
      "{} would be needed: {} prefixes, {} that overlap others while they are replaced, {} "
      "addresses of this host, {} of local scope; raise xdp-entries-max and restart steerd",
      ports_, entries_max_, need.sum(), need.entries, need.overlapping, need.hosts,
      PrefixMap::kOwnEntries);
}

std::expected<void, std::string> MapRoom::reserve(const Delta& delta, std::uint64_t generation) {
  Prefixes added;
  Prefixes gone;
  std::size_t put = 0;
  std::size_t dropped = 0;
  for (const Delta::OfPrefix& prefix : delta.prefixes) {
    const std::size_t entries = PrefixMap::takes_entry(prefix.prefix) ? 1 : 0;
    if (prefix.before == PrefixState::absent) {
      added.push_back(prefix.prefix);
      put += entries;
    } else if (prefix.after == PrefixState::absent) {
      gone.push_back(prefix.prefix);
      dropped += entries;
    }
  }
  // Nothing depends on a state that has the prefixes of the one before it.
  if (added.empty() && gone.empty()) return {};
  std::list<State> made(1);
  State& state = made.front();
  state.generation = generation;
  state.removed = std::make_shared<const Prefixes>(gone);
  {
    // States that are put in force meanwhile do not change what is counted here, but for too much.
    const std::lock_guard lock(mutex_);
    state.entries = states_.back().entries + put - dropped;
    for (auto it = std::next(states_.begin()); it != states_.end() && !added.empty(); ++it)
      gone.insert(gone.end(), it->removed->begin(), it->removed->end());
  }
  const Overlapping overlapping = count_overlapping(added, std::move(gone));
  state.inside_old = overlapping.added;
  state.inside_new = overlapping.removed;
  const std::lock_guard lock(mutex_);
  reserved_ = std::move(made);
  const Need need = this->need();
  if (put + overlapping.added + overlapping.removed == 0 || need.sum() <= entries_max_) return {};
  reserved_.clear();
  return std::unexpected(refusal(need));
}

void MapRoom::commit() noexcept {
  const std::lock_guard lock(mutex_);
  states_.splice(states_.end(), reserved_);
}

void MapRoom::abandon() noexcept {
  const std::lock_guard lock(mutex_);
  reserved_.clear();
}

void MapRoom::release(std::uint64_t generation) noexcept {
  const std::lock_guard lock(mutex_);
  while (states_.size() > 1 && std::next(states_.begin())->generation <= generation)
    states_.pop_front();
}

std::expected<void, std::string> MapRoom::reserve_hosts(std::size_t hosts) {
  const std::lock_guard lock(mutex_);
  const std::size_t before = std::exchange(hosts_, hosts);
  const Need need = this->need();
  if (hosts <= before || need.sum() <= entries_max_) return {};
  hosts_ = before;
  return std::unexpected(refusal(need));
}

void MapRoom::settle_hosts(std::size_t hosts) noexcept {
  const std::lock_guard lock(mutex_);
  hosts_ = hosts;
}

std::unique_ptr<MapRoom> map_room_of(const Config& config) {
  std::string ports;
  for (const PortConfig& port : config.ports)
    if (port.is_kernels()) ports += (ports.empty() ? "port " : ", port ") + port.name;
  if (ports.empty()) return nullptr;
  const HostAddresses hosts = host_addresses();
  return std::make_unique<MapRoom>(config.xdp_entries_max, std::move(ports),
                                   hosts.v4.size() + hosts.v6.size());
}

}  // namespace control::daemon
