// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <optional>

#include "control/daemon/data_plane.hpp"
#include "dataplane/dpdk/device.hpp"

// Sums over what a data plane counts; for any thread.
namespace control::daemon {

// Over the workers, or of one.
class Sums {
 public:
  // data_plane: outlives this. worker: under worker_count().
  explicit Sums(const DataPlane& data_plane, std::optional<std::size_t> worker = std::nullopt)
      : data_plane_(data_plane), worker_(worker) {}

  [[nodiscard]] dataplane::Volume of(dataplane::Verdict verdict) const;
  [[nodiscard]] dataplane::Volume received() const;
  // To the service's output.
  [[nodiscard]] dataplane::Volume sent(dataplane::Service service) const;

 private:
  dataplane::Volume sum(auto read) const;

  const DataPlane& data_plane_;
  std::optional<std::size_t> worker_;
};

// As packets leave through it.
[[nodiscard]] constexpr dataplane::Outcome outcome_of(dataplane::Service service) noexcept {
  return static_cast<dataplane::Outcome>(static_cast<std::size_t>(service) - 1);
}

// Of all devices of a port.
[[nodiscard]] dataplane::dpdk::DeviceCounters device_counters(const DataPlane& data_plane,
                                                              const DataPlane::Port& port);

}  // namespace control::daemon
