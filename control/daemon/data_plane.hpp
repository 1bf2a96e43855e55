// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/daemon/config.hpp"
#include "control/daemon/layout.hpp"
#include "control/daemon/neighbours.hpp"
#include "dataplane/dpdk/condition.hpp"
#include "dataplane/dpdk/device.hpp"
#include "dataplane/dpdk/eal.hpp"
#include "dataplane/dpdk/idler.hpp"
#include "dataplane/dpdk/publisher.hpp"
#include "dataplane/dpdk/ring_board.hpp"
#include "dataplane/dpdk/worker.hpp"
#include "dataplane/xdp/prefix_map.hpp"
#include "dataplane/xdp/program.hpp"

struct rte_mempool;

namespace control::daemon {

// Everything that packets pass through: EAL, XDP programs, devices, workers and their queues. Made
// from a layout, in the order that nothing is taken from the kernel before somebody serves it.
//
// One owner, the control thread. What other threads may read is said where it is.
class DataPlane {
 public:
  struct Port {
    const PortConfig* config = nullptr;
    std::vector<std::size_t> devices;  // indexes into devices()
    std::optional<std::size_t> tap;    // one too: the kernel's end
    std::unique_ptr<dataplane::VlanRoles> vlan_roles;
    std::unique_ptr<dataplane::xdp::Program> program;  // of an interface
    std::atomic<bool> is_up{true};                     // written by control, read by anybody
    std::uint32_t mtu = 0;

    [[nodiscard]] dataplane::Port for_steering() const noexcept;
  };

  // Starts the devices; no packet is received yet. config outlives this. bindings_max: as
  // Worker's. Throws EalError, DeviceError, XdpError, std::runtime_error.
  DataPlane(const Config& config, const Layout& layout,
            std::unique_ptr<const dataplane::Table> first, std::uint32_t bindings_max);
  ~DataPlane();
  DataPlane(const DataPlane&) = delete;
  DataPlane& operator=(const DataPlane&) = delete;

  // The workers receive from here on.
  void start();
  // The kernel gets all its packets back, what the workers have received is sent, the devices stop.
  void stop();

  // Tells the XDP programs what settings say of destinations outside all prefixes.
  void configure_programs(const dataplane::Policy& policy) noexcept;
  // Link and neighbour changes; what workers have to know of them, and the log.
  void look_around();

  // Whether every worker has begun to receive.
  [[nodiscard]] bool has_started() const noexcept;
  // The outputs whose next hop is not known, with its address, for messages.
  [[nodiscard]] std::vector<std::string> unresolved() const;

  // Workers that sleep look at their inputs. One that was woken looks many times before it sleeps
  // again.
  void wake_workers() const noexcept;

  // A moment, for is_drained(): wake_workers() comes after it.
  using Moment = std::vector<std::uint64_t>;
  [[nodiscard]] Moment now() const;
  // Whether everything that had arrived at the queues by then was received.
  [[nodiscard]] bool is_drained(const Moment& since) const;

  [[nodiscard]] dataplane::dpdk::Publisher& publisher() noexcept { return publisher_; }
  // Null: no port is an interface.
  [[nodiscard]] dataplane::xdp::PrefixMap* prefixes() noexcept { return prefixes_.get(); }

  // For any thread.
  [[nodiscard]] const std::deque<Port>& ports() const noexcept { return ports_; }
  [[nodiscard]] const std::vector<dataplane::dpdk::Device>& devices() const noexcept {
    return devices_;
  }
  [[nodiscard]] std::size_t worker_count() const noexcept { return workers_.size(); }
  [[nodiscard]] const dataplane::dpdk::Worker& worker(std::size_t number) const noexcept {
    return *workers_[number];
  }
  // By all workers, of a binding's number.
  [[nodiscard]] dataplane::Volume counted(std::uint32_t binding) const noexcept;
  [[nodiscard]] const Layout& layout() const noexcept { return layout_; }
  [[nodiscard]] unsigned free_buffers() const noexcept;
  [[nodiscard]] const dataplane::dpdk::Condition& condition(dataplane::Service service) const {
    return conditions_[static_cast<std::size_t>(service) - 1];
  }

 private:
  struct FreePool {
    void operator()(rte_mempool* pool) const noexcept;
  };

  struct Rings {
    std::vector<rte_ring*> rings;  // one for each worker, or one for all
    std::size_t first = 0;         // on the board
  };

  [[nodiscard]] std::string arguments_of(const Layout::Device& device) const;
  void make_rings();
  [[nodiscard]] dataplane::dpdk::Output output_of(const OutputConfig& config,
                                                  const Layout::Worker& worker);
  void add_taps(const Layout::Worker& worker, dataplane::dpdk::Wiring& wiring);
  void attach_programs(const dataplane::Policy& policy);
  void make_pool();
  void start_devices();
  void make_outputs();
  void make_workers(std::uint32_t bindings_max);
  [[nodiscard]] dataplane::dpdk::Wiring wiring_of(const Layout::Worker& worker);
  [[nodiscard]] Port* port_named(std::string_view name) noexcept;
  [[nodiscard]] dataplane::dpdk::Condition::State state_of(const OutputConfig& output);
  void set_conditions();

  const Config& config_;
  Layout layout_;
  dataplane::dpdk::Eal eal_;
  dataplane::dpdk::Publisher publisher_;
  std::unique_ptr<dataplane::xdp::PrefixMap> prefixes_;
  std::unique_ptr<rte_mempool, FreePool> pool_;
  std::deque<Port> ports_;  // as Config::ports
  std::vector<dataplane::dpdk::Device> devices_;
  std::vector<std::vector<int>> device_sockets_;  // AF_XDP, by device
  std::array<dataplane::dpdk::Condition, dataplane::kServices.size()> conditions_;
  Neighbours neighbours_;
  std::array<std::optional<dataplane::Rewrite>, dataplane::kServices.size()> rewrites_;
  std::deque<dataplane::dpdk::PortQueue> queues_;
  std::deque<dataplane::dpdk::Answering> answerings_;
  std::deque<dataplane::dpdk::Output> kernel_outputs_;
  std::optional<dataplane::dpdk::RingBoard> board_;  // where there are rings
  std::array<Rings, dataplane::kServices.size()> rings_;
  std::vector<std::unique_ptr<dataplane::dpdk::Idler>> idlers_;
  std::vector<std::unique_ptr<dataplane::dpdk::Worker>> workers_;
  std::atomic<bool> stop_{false};
  std::unique_ptr<dataplane::dpdk::Eal::Launch> launch_;
};

}  // namespace control::daemon
