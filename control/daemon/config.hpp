// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/guard.hpp"
#include "control/rules.hpp"
#include "dataplane/rewrite.hpp"
#include "dataplane/service.hpp"
#include "dataplane/table.hpp"
#include "dataplane/xdp/prefix_map.hpp"

// What an operator asked steerd for, checked as far as it can be without looking at the host. Each
// key is explained in configs/steerd.conf.
namespace control::daemon {

// Longest name of a port or a ring: it becomes part of DPDK's names.
inline constexpr std::size_t kNameBytesMax = 24;

struct VlanRole {
  std::uint16_t vlan = 0;
  dataplane::Direction direction = dataplane::Direction::ingress;

  friend bool operator==(const VlanRole&, const VlanRole&) = default;
};

struct PortConfig {
  enum class Rss : std::uint8_t { l3_l4, l3 };
  enum class Xdp : std::uint8_t { native, generic, automatic };
  enum class KernelPath : std::uint8_t { none, tap };

  std::string name;
  std::string origin;     // where it was written, for messages: FILE:LINE or --port
  std::string interface;  // stays with the kernel, AF_XDP; empty: `device` says what it is
  std::string device;     // as DPDK's --vdev or --allow take it
  // Of untagged frames; nullopt: they have none. Without any role nothing is received at all.
  std::optional<dataplane::Direction> role;
  std::vector<VlanRole> vlans;  // by identifier
  unsigned queues = 0;          // 0: the interface's, or one for each worker
  Rss rss = Rss::l3_l4;
  unsigned mtu = 0;  // 0: the device's own
  KernelPath kernel = KernelPath::none;
  std::string tap;  // the TAP's name
  Xdp xdp = Xdp::automatic;
  unsigned busy_budget = 0;  // of the AF_XDP sockets; 0: no busy polling

  [[nodiscard]] bool is_kernels() const noexcept { return !interface.empty(); }
  [[nodiscard]] bool receives() const noexcept { return role.has_value() || !vlans.empty(); }
};

struct OutputConfig {
  enum class Producers : std::uint8_t { single, multi };

  dataplane::Service service = dataplane::Service::magic_transit;
  std::string origin;
  std::string port;  // empty: a ring
  std::string ring;
  unsigned ring_packets = 4096;
  Producers producers = Producers::single;
  std::optional<dataplane::Rewrite> rewrite;  // nullopt: none
  bool has_source = false;                    // else the port's own address is filled in
  bool has_mtu = false;                       // else the port's own
  std::string next_hop_address;  // to be resolved by the kernel; empty: a MAC was given
};

enum class Idle : std::uint8_t { busy, pause, sleep };

struct LogLevel {
  std::string module;  // "*": all of steer's
  std::string level;
};

// How the API is served; only with a data directory.
struct ApiConfig {
  struct Listen {
    std::string address;
    std::uint16_t port = 0;
  };
  std::vector<Listen> listen{{"127.0.0.1", 8642}};
  std::optional<bool> listen_from;    // whether the last one came from the file; nullopt: default
  std::filesystem::path socket;       // empty: NAME.sock in the run directory
  std::filesystem::path certificate;  // empty: no TLS
  std::filesystem::path key;
  unsigned requests_per_second = 1000;  // of each token
  unsigned connections_max = 8192;
  unsigned change_set_mib_max = 64;
  unsigned import_mib_max = 2048;
  std::chrono::milliseconds idle_time{60'000};
};

struct Config {
  std::filesystem::path file;  // --config; empty: none
  bool check = false;
  bool help = false;
  bool version = false;

  std::vector<PortConfig> ports;
  std::vector<OutputConfig> outputs;
  // Exactly one of the two: a file to steer by, or where the API keeps what it is told.
  std::filesystem::path bindings;
  std::filesystem::path data_directory;
  ApiConfig api;
  BindingRules rules;
  GuardLimits guard;
  dataplane::Settings settings;
  bool output_down_to_magic_transit = false;

  unsigned workers = 1;
  std::vector<unsigned> worker_cpus;  // empty: the last ones that the process may use
  bool workers_float = false;         // not pinned
  Idle idle = Idle::busy;
  std::chrono::milliseconds grace_timeout{1000};
  std::chrono::milliseconds stop_delay{0};

  std::string file_prefix = "steer";
  bool hugepages = false;
  unsigned memory_mib = 0;  // 0: as computed
  unsigned descriptors = 4096;
  std::uint32_t bindings_max = 0;  // 0: twice those of the start, at least 65,536
  std::uint32_t xdp_entries_max = dataplane::xdp::PrefixMap::kLongerMax;
  std::filesystem::path run_directory;  // empty: /run/steer, or the user's own
  std::string user;
  std::vector<std::string> eal;
  std::vector<LogLevel> log_levels;

  // The settings as written, sorted by key: to tell on reload what changed that cannot.
  struct Written {
    std::string key;
    std::string value;
    friend bool operator==(const Written&, const Written&) = default;
  };
  std::vector<Written> written;

  [[nodiscard]] const PortConfig* port_named(std::string_view name) const noexcept;
};

}  // namespace control::daemon
