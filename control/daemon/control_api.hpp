// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "control/api/api.hpp"
#include "control/daemon/config.hpp"
#include "control/daemon/live_observer.hpp"
#include "control/daemon/live_steering.hpp"
#include "control/daemon/persisted.hpp"
#include "control/http/server.hpp"

namespace control::daemon {

// The API in steerd: from sockets to workers. Lives on the control thread, and has the store
// thread.
class ControlApi {
 public:
  // Nothing is served yet. All references outlive this.
  ControlApi(boost::asio::io_context& control, const Config& config, Persisted&& persisted,
             const DataPlane& data_plane, Publication& publication, TableSource& source);

  // run_directory: where the Unix socket is, if its path is not set. Throws ServerError.
  void listen(const std::filesystem::path& run_directory);

  // Other settings, in their turn between change sets. done: on the control thread, with why they
  // were refused, or an empty text; they are in force later, which is logged.
  void change_settings(
      const Config& config,
      std::function<void(const std::string& refused, std::uint64_t generation)> done);

  // Other addresses of the host, likewise.
  void change_host_addresses(dataplane::HostAddresses hosts,
                             std::function<void(const std::string& refused)> done);

  // Every worker has passed this generation.
  void set_active(std::uint64_t generation) {
    steering_.set_active(generation);
    api_.set_active(generation);
  }

  // To be called ten times a second.
  void tick() { api_.expire(api::Api::Clock::now()); }

 private:
  boost::asio::io_context& control_;
  const Config& config_;
  std::unique_ptr<store::Store> store_;
  api::Tokens tokens_;
  LiveSteering steering_;
  LiveObserver observer_;
  api::Api api_;
  std::optional<http::Server> server_;
};

}  // namespace control::daemon
