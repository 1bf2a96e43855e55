// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/control_api.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>
#include <vector>

#include "control/daemon/log.hpp"

namespace control::daemon {
namespace {

using log::Module;

// As many descriptors as connections may come to, and some for everything else.
void raise_descriptors(std::size_t connections) {
  constexpr rlim_t kOthers = 1024;
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  const rlim_t wanted = std::min<rlim_t>(connections + kOthers, files.rlim_max);
  if (files.rlim_cur >= wanted) return;
  files.rlim_cur = wanted;
  setrlimit(RLIMIT_NOFILE, &files);
}

api::ApiOptions options_of(const Config& config) {
  api::ApiOptions options;
  options.requests_per_second = config.api.requests_per_second;
  options.grace_timeout = config.grace_timeout;
  options.change_set_bytes_max = std::size_t{config.api.change_set_mib_max} << 20;
  options.import_bytes_max = std::size_t{config.api.import_mib_max} << 20;
  // Where there is to be room for what they say.
  options.body_directory = config.data_directory.string();
  return options;
}

api::State with_guard(api::State&& state, const GuardLimits& limits) {
  state.set_guard(limits);
  return std::move(state);
}

}  // namespace

ControlApi::ControlApi(boost::asio::io_context& control, const Config& config,
                       Persisted&& persisted, const DataPlane& data_plane, Publication& publication,
                       TableSource& source)
    : control_(control),
      config_(config),
      store_(std::move(persisted.store)),
      steering_(publication, source),
      observer_(config, data_plane, source),
      api_(with_guard(std::move(persisted.state), config.guard), *store_, steering_, tokens_,
           {.to_control =
                [&control](std::function<void()> what) {
                  boost::asio::post(control, std::move(what));
                },
            .complain =
                [](const std::string& what) { log::error(Module::control, "api: {}", what); },
            .observer = &observer_},
           options_of(config)) {}

void ControlApi::listen(const std::filesystem::path& run_directory) {
  raise_descriptors(config_.api.connections_max);
  const std::filesystem::path socket = config_.api.socket.empty()
                                           ? run_directory / (config_.file_prefix + ".sock")
                                           : config_.api.socket;
  std::vector<http::Endpoint> endpoints{{.address = {}, .port = 0, .path = socket}};
  for (const ApiConfig::Listen& listen : config_.api.listen)
    endpoints.push_back({.address = listen.address, .port = listen.port, .path = {}});
  http::Limits limits;
  limits.connections_max = config_.api.connections_max;
  limits.idle_time = config_.api.idle_time;
  server_.emplace(control_, api_, endpoints,
                  http::TlsFiles{config_.api.certificate, config_.api.key}, limits,
                  [](const std::string& what) { log::warning(Module::control, "api: {}", what); });
  for (const http::Endpoint& endpoint : server_->endpoints()) {
    if (!endpoint.path.empty())
      log::notice(Module::control, "api: listening on {}", endpoint.path.string());
    else
      log::notice(Module::control, "api: listening on {} port {}{}", endpoint.address,
                  endpoint.port, config_.api.certificate.empty() ? "" : " (TLS)");
  }
}

void ControlApi::change_settings(const Config& config,
                                 std::function<void(const std::string&, std::uint64_t)> done) {
  auto generation = std::make_shared<std::uint64_t>(0);
  api_.engine().submit(
      [this, settings = config.settings, generation](api::State& state) {
        steering_.set_settings(settings);
        state.pass_generation();
        *generation = state.generation();
      },
      [this, done = std::move(done), generation, guard = config.guard,
       timeout = config.grace_timeout](const std::string& refused) {
        if (refused.empty()) {
          api_.set_grace_timeout(timeout);
          api_.engine().submit([guard](api::State& state) { state.set_guard(guard); },
                               [](const std::string&) {});
        }
        done(refused, *generation);
      });
}

void ControlApi::change_host_addresses(dataplane::HostAddresses hosts,
                                       std::function<void(const std::string&)> done) {
  api_.engine().submit(
      [this, hosts = std::move(hosts)](api::State& state) {
        steering_.set_host_addresses(hosts);
        state.pass_generation();
      },
      std::move(done));
}

}  // namespace control::daemon
