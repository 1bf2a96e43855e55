// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <filesystem>
#include <string>

#include "control/daemon/data_plane.hpp"
#include "control/daemon/notify.hpp"
#include "control/daemon/ready_file.hpp"

namespace control::daemon {

// When steerd may be sent traffic, and who is told: the service manager, the ready file, the log.
// Ready means: every worker runs, and the next hop of every output is known. An output whose next
// hop is not to be found holds the others up for five seconds at most.
//
// Of the control thread.
class Readiness {
 public:
  Readiness(boost::asio::io_context& control, const DataPlane& data_plane, Notifier& notifier,
            std::filesystem::path ready_file);

  // Says that it is ready as soon as it is.
  void begin();
  // From here on it is not, for good.
  void end();

  // Between these two the service manager waits for us.
  void reload_begins();
  void reload_ends(const std::string& status);

 private:
  void look();
  void get_ready();

  boost::asio::steady_timer timer_;
  const DataPlane& data_plane_;
  Notifier& notifier_;
  ReadyFile file_;
  std::chrono::steady_clock::time_point deadline_;
  bool is_ready_ = false;
  bool has_ended_ = false;
};

}  // namespace control::daemon
