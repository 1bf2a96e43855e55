// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "control/daemon/config.hpp"
#include "control/daemon/setting.hpp"

namespace control::daemon {

// Who does what: DPDK devices, queues, workers, memory. Made from the configuration and what the
// host says of its interfaces and CPUs, before anything is touched.
struct Layout {
  // A DPDK device. An AF_XDP port has one for each of its queues.
  struct Device {
    std::string name;       // DPDK's
    std::string arguments;  // as --vdev or --allow takes it, the name included
    bool is_pci = false;
    bool is_tap = false;   // the kernel's end of `port`; its MAC address is added to the arguments
    std::size_t port = 0;  // index into Config::ports
    unsigned first_queue = 0;  // of the port
    unsigned rx_queues = 1;
    unsigned tx_queues = 1;
  };
  // A queue of a port; `device` has it as its own number `device_queue`.
  struct Queue {
    std::size_t port = 0;
    unsigned queue = 0;
    std::size_t device = 0;
    unsigned device_queue = 0;
  };
  struct Worker {
    unsigned number = 0;
    std::optional<unsigned> cpu;  // nullopt: any
    std::vector<Queue> inputs;
  };

  std::vector<Device> devices;
  std::vector<Worker> workers;
  unsigned packet_buffers = 0;
  unsigned packet_buffer_bytes = 0;  // room for data in each
  unsigned memory_mib = 0;

  // The queue of a port that a worker sends by.
  [[nodiscard]] Queue transmit_queue(std::size_t port, unsigned worker) const noexcept;
};

// What cannot be had on this host is returned as errors, all of them.
[[nodiscard]] std::expected<Layout, Errors> lay_out(const Config& config);

}  // namespace control::daemon
