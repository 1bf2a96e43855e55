// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/host_watch.hpp"

#include <algorithm>
#include <expected>
#include <memory>
#include <set>
#include <utility>

#include "control/daemon/interface.hpp"
#include "control/daemon/log.hpp"
#include "dataplane/xdp/prefix_map.hpp"

namespace control::daemon {
namespace {

using log::Module;

constexpr std::chrono::seconds kRetry{10};

}  // namespace

dataplane::HostAddresses hosts_for_workers(const Config& config) {
  const bool has_taps = std::ranges::any_of(config.ports, [](const PortConfig& port) {
    return port.kernel == PortConfig::KernelPath::tap;
  });
  if (!has_taps) return {};
  HostAddresses addresses = host_addresses();
  return {.v4 = dataplane::AddressSet(std::move(addresses.v4)),
          .v6 = dataplane::AddressSet(std::move(addresses.v6))};
}

HostWatch::HostWatch(const Config& config, DataPlane& data_plane, MapRoom* room,
                     dataplane::HostAddresses known, ChangeTable change_table)
    : config_(config),
      data_plane_(data_plane),
      room_(room),
      known_(std::move(known)),
      change_table_(std::move(change_table)) {}

void HostWatch::look() {
  tell_programs();
  tell_workers();
}

void HostWatch::tell_workers() {
  if (is_changing_table_ || Clock::now() < table_retry_at_) return;
  auto hosts = std::make_shared<dataplane::HostAddresses>(hosts_for_workers(config_));
  if (*hosts == known_) return;
  is_changing_table_ = true;
  change_table_(*hosts, [this, hosts](const std::string& refused) {
    is_changing_table_ = false;
    if (refused.empty()) {
      known_ = std::move(*hosts);
      return;
    }
    table_retry_at_ = Clock::now() + kRetry;
    log::error(Module::control,
               "the host's addresses have changed, but workers on ports with kernel=tap do not "
               "know it: {}; trying again in {} s",
               refused, kRetry.count());
  });
}

void HostWatch::tell_programs() {
  dataplane::xdp::PrefixMap* const map = data_plane_.prefixes();
  if (map == nullptr || room_ == nullptr) return;
  std::set<dataplane::xdp::HostAddress> all;
  const HostAddresses addresses = host_addresses();
  all.insert(addresses.v4.begin(), addresses.v4.end());
  all.insert(addresses.v6.begin(), addresses.v6.end());
  const std::set<dataplane::xdp::HostAddress>& known = map->host_addresses();
  if (all == known || Clock::now() < programs_retry_at_) return;
  // For a moment the map has both, the old ones and the new ones.
  std::set<dataplane::xdp::HostAddress> both = all;
  both.insert(known.begin(), known.end());
  std::expected<void, std::string> done = room_->reserve_hosts(both.size());
  if (done) {
    if (const auto set = map->set_host_addresses(all); !set)
      done = std::unexpected(set.error().message);
    room_->settle_hosts(known.size());
  }
  if (done) return;
  programs_retry_at_ = Clock::now() + kRetry;
  log::error(Module::xdp,
             "the host's addresses have changed, but the XDP programs do not know it: {}; trying "
             "again in {} s",
             done.error(), kRetry.count());
}

}  // namespace control::daemon
