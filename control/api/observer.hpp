// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/store/rows.hpp"
#include "dataplane/counters.hpp"
#include "dataplane/policy.hpp"
#include "lpm/prefix.hpp"

namespace control::api {

// What can be read of a data plane: the running one, or a test's own. All on the store thread.
class Observer {
 public:
  Observer() = default;
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;
  virtual ~Observer() = default;

  struct Output {
    bool is_up = true;
    bool is_resolved = true;  // the MAC address of its next hop is known
  };
  [[nodiscard]] virtual Output output(dataplane::Service service) const noexcept = 0;
  // on-output-down = magic_transit
  [[nodiscard]] virtual bool is_down_to_magic_transit() const noexcept = 0;
  // Whether a port that receives this direction has a way to the kernel.
  [[nodiscard]] virtual bool has_kernel_path(dataplane::Direction direction) const = 0;
  // Settings and addresses of the host, of the newest table.
  [[nodiscard]] virtual std::shared_ptr<const dataplane::Policy> policy() const = 0;

  struct Traffic {
    dataplane::Volume counted;  // since the CIDR was bound, or since the start
    double packets_per_second = 0;
    double bits_per_second = 0;
    std::optional<store::Micros> last_seen = std::nullopt;  // empty: never
  };
  // Whose longest match the binding on this CIDR was; all zeros while no worker has it.
  [[nodiscard]] virtual Traffic traffic_of(const lpm::AnyPrefix& cidr) const = 0;
  enum class Order : std::uint8_t { packets, rate };
  // The bindings with the most traffic, the busiest first. How many is up to it; some may have
  // gone.
  [[nodiscard]] virtual std::shared_ptr<const std::vector<lpm::AnyPrefix>> busiest(
      Order order) const = 0;

  // Named counts, in the order in which they are shown.
  using Counts = std::vector<std::pair<std::string, std::uint64_t>>;
  struct Worker {
    std::string cpu;  // a number, or "any"
    bool is_asleep = false;
    Counts counts;
  };
  struct Port {
    std::string name;
    bool is_up = true;
    Counts counts;
    Counts xdp;  // packets by outcome of its XDP program; empty: it has none
  };
  struct ServiceCounts {
    dataplane::Service service = dataplane::Service::magic_transit;
    Output output;
    Counts counts;
  };
  struct Counters {
    dataplane::Volume received;
    std::vector<std::pair<std::string, dataplane::Volume>> outcomes;  // by counter_name()
    std::vector<ServiceCounts> services;
    std::vector<Worker> workers;
    std::vector<Port> ports;
  };
  [[nodiscard]] virtual Counters counters() const = 0;
};

}  // namespace control::api
