// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "dataplane/rewrite.hpp"

namespace control::daemon {

// MAC addresses of next hops, from the kernel's neighbour table. The packets that we send do not
// pass the kernel, so that it forgets whom it does not use itself: it is given a reason to ask
// again, a datagram to the discard port of the neighbour. While it asks, the last address that it
// knew is used on, as routers do.
class Neighbours {
 public:
  Neighbours();
  ~Neighbours();
  Neighbours(const Neighbours&) = delete;
  Neighbours& operator=(const Neighbours&) = delete;

  // What the kernel knows now, or has known until four seconds ago: by then it would have found who
  // is there. Asks it to find out or to confirm, where there is need and not too often. address:
  // IPv4 or IPv6, as text. Costs two system calls. nullopt: not known.
  [[nodiscard]] std::optional<dataplane::MacAddress> find(const std::string& interface,
                                                          const std::string& address);

 private:
  using Clock = std::chrono::steady_clock;
  struct Known {
    dataplane::MacAddress mac{};
    Clock::time_point at;
  };
  void probe(const std::string& interface, const std::string& address,
             std::chrono::milliseconds at_most_every);

  int netlink_ = -1;
  // By interface and address.
  std::map<std::string, Clock::time_point> probed_at_;
  std::map<std::string, Known> known_;
};

}  // namespace control::daemon
