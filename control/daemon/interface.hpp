// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/rewrite.hpp"
#include "lpm/address.hpp"

// What the kernel says of its network interfaces.
namespace control::daemon {

struct Interface {
  unsigned index = 0;
  unsigned mtu = 0;
  dataplane::MacAddress mac{};
  unsigned queues = 1;      // on which it receives
  bool is_enabled = false;  // by the operator
  bool is_up = false;       // and its link is there
};

// nullopt: there is none of this name in this network namespace.
[[nodiscard]] std::optional<Interface> find_interface(const std::string& name);

struct HostAddresses {
  std::vector<lpm::Address4> v4;
  std::vector<lpm::Address6> v6;  // none of link-local scope
};
// Of all interfaces; of one, where a name is given.
[[nodiscard]] HostAddresses host_addresses(const std::string& interface = "");

// CPUs that this process may run on, in order.
[[nodiscard]] std::vector<unsigned> usable_cpus();

}  // namespace control::daemon
