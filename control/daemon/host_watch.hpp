// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "control/daemon/config.hpp"
#include "control/daemon/data_plane.hpp"
#include "control/daemon/map_room.hpp"
#include "dataplane/host_addresses.hpp"

namespace control::daemon {

// The host's addresses, as workers give them to the kernel where they are the way there (ports with
// kernel=tap); without such ports, none.
[[nodiscard]] dataplane::HostAddresses hosts_for_workers(const Config& config);

// Tells those who decide what is the host's own when its addresses have changed: the XDP programs
// of interfaces, by their map, and the workers of ports with a TAP, by another table. What is
// refused is logged, and tried again later.
//
// One owner, the control thread.
class HostWatch {
 public:
  using Done = std::function<void(const std::string& refused)>;
  // Puts a table with these addresses in force; calls `done` on the control thread, with why not,
  // or with an empty text.
  using ChangeTable = std::function<void(const dataplane::HostAddresses& hosts, Done done)>;

  // known: what workers have been told. room: null where data_plane has no XDP programs. All
  // outlive this.
  HostWatch(const Config& config, DataPlane& data_plane, MapRoom* room,
            dataplane::HostAddresses known, ChangeTable change_table);

  // To be called ten times a second. A few system calls.
  void look();

 private:
  using Clock = std::chrono::steady_clock;

  void tell_programs();
  void tell_workers();

  const Config& config_;
  DataPlane& data_plane_;
  MapRoom* room_;
  dataplane::HostAddresses known_;
  ChangeTable change_table_;
  bool is_changing_table_ = false;
  Clock::time_point table_retry_at_;
  Clock::time_point programs_retry_at_;
};

}  // namespace control::daemon
