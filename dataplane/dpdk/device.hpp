// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "dataplane/rewrite.hpp"

struct rte_mempool;

namespace dataplane::dpdk {

// A device is not there, or not as it is needed. One line that says what to do.
class DeviceError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct DeviceOptions {
  enum class Rss : std::uint8_t { l3_l4, l3 };

  std::uint16_t rx_queues = 1;
  std::uint16_t tx_queues = 1;
  std::uint16_t descriptors = 4096;  // of each queue, as far as the device has them
  Rss rss = Rss::l3_l4;
  std::uint32_t mtu = 0;  // 0: the device's own
  bool all_multicast = false;
};

// What a device counted, in packets.
struct DeviceCounters {
  std::uint64_t received = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t sent = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t missed = 0;     // the queues were full
  std::uint64_t errors = 0;     // arrived damaged
  std::uint64_t no_buffer = 0;  // there was no packet buffer
  std::uint64_t send_errors = 0;
};

// A DPDK Ethernet device, from its making to its end. VLAN stripping, LRO and GRO are off; RSS and
// the IPv4 checksum flag are on where the device has them.
//
// One owner, the control thread; workers use the queues between start() and stop().
class Device {
 public:
  // Makes a virtual device: NAME,KEY=VALUE,... Throws DeviceError.
  [[nodiscard]] static Device make(const std::string& arguments);
  // One that EAL found at its start (a PCI address). Throws DeviceError.
  [[nodiscard]] static Device find(const std::string& name);

  ~Device();
  Device(Device&& other) noexcept;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  Device& operator=(Device&&) = delete;

  // Throws DeviceError: fewer queues than asked for, an MTU that it cannot have.
  void configure(const DeviceOptions& options, rte_mempool& pool);
  void start();
  void stop() noexcept;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] std::uint16_t number() const noexcept { return number_; }
  [[nodiscard]] MacAddress mac() const;
  [[nodiscard]] std::uint32_t mtu() const;
  [[nodiscard]] bool is_up() const;
  [[nodiscard]] DeviceCounters counters() const;

 private:
  Device(std::string name, bool is_made);
  [[noreturn]] void fail(const std::string& what, int error) const;

  std::string name_;
  std::uint16_t number_;
  bool is_made_;  // and to be removed
  bool is_started_ = false;
};

// Descriptors of the AF_XDP sockets that this process has open. The driver has no other way to tell
// which are its own: those of a device are what is new since before it was configured.
[[nodiscard]] std::vector<int> af_xdp_sockets();

}  // namespace dataplane::dpdk
