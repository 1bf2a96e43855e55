// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "control/daemon/config.hpp"
#include "control/delta.hpp"

namespace control::daemon {

// Who has been promised room in the map of the XDP programs, which holds prefixes longer than 24
// bits and the host's addresses: a change for which there would be none is refused before it is
// durable, so that what is published is taken in.
//
// The map has what is in force; tables that are under way will change that, one by one or, where
// they meet, several in one step (Publication). In a step from one state to a later one prefixes
// are let go before others are taken in, but for two kinds. New ones inside old ones are put
// first of all, beside everything of the old state; old ones inside new ones go last of all, beside
// everything of the new state. So the most that there is at any moment is the most of
//   the prefixes of a state, and the new ones inside old ones of all that comes after it
//   the prefixes of a state, and the old ones inside new ones of all that led to it
// and the host's addresses.
//
// Thread safe; reservations are of one thread, the store's.
class MapRoom {
 public:
  // ports: who has the programs, for messages. hosts: addresses of the host at the start.
  MapRoom(std::size_t entries_max, std::string ports, std::size_t hosts);

  // Room for the state that `delta` leads to, from the one that was committed last. An error says
  // how much is lacking; what takes in nothing is never refused. Then either commit(), or
  // abandon(). O(n log n) of what is different, and of what has been removed and is under way.
  // Throws std::bad_alloc, and has reserved nothing then.
  [[nodiscard]] std::expected<void, std::string> reserve(const Delta& delta,
                                                         std::uint64_t generation);
  void commit() noexcept;
  void abandon() noexcept;

  // The state of this generation is what the map has.
  void release(std::uint64_t generation) noexcept;

  // Room for so many addresses of the host, from now on. Fewer are never refused.
  [[nodiscard]] std::expected<void, std::string> reserve_hosts(std::size_t hosts);
  // Of what was reserved so many have become.
  void settle_hosts(std::size_t hosts) noexcept;

 private:
  using Prefixes = std::vector<lpm::AnyPrefix>;
  struct State {
    std::uint64_t generation = 0;
    std::size_t entries = 0;
    // On the way to this state from the one before; what went earlier and is under way counts too.
    std::size_t inside_old = 0;  // of the new ones
    std::size_t inside_new = 0;  // of the old ones
    std::shared_ptr<const Prefixes> removed = nullptr;
  };

  struct Need {
    std::size_t entries;
    std::size_t overlapping;
    std::size_t hosts;

    [[nodiscard]] std::size_t sum() const noexcept;
  };
  // All under mutex_.
  void for_each_under_way(auto visit) const noexcept;
  [[nodiscard]] Need need() const noexcept;
  [[nodiscard]] std::string refusal(const Need& need) const;

  const std::size_t entries_max_;
  const std::string ports_;

  std::mutex mutex_;
  // Of the map, and those that are under way; a list, so that what is reserved is committed without
  // memory.
  std::list<State> states_;
  std::list<State> reserved_;  // one or none
  std::size_t hosts_;
};

// Of the ports that are interfaces, with the host's addresses as they are; null: there are none.
[[nodiscard]] std::unique_ptr<MapRoom> map_room_of(const Config& config);

}  // namespace control::daemon
