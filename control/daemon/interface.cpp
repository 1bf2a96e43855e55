// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/interface.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace control::daemon {
namespace {

// One name, many questions.
class Questions {
 public:
  explicit Questions(const std::string& name)
      : socket_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    name.copy(request_.ifr_name, sizeof request_.ifr_name - 1);
  }
  ~Questions() {
    if (socket_ >= 0) close(socket_);
  }
  Questions(const Questions&) = delete;
  Questions& operator=(const Questions&) = delete;

  bool ask(unsigned long what) { return ioctl(socket_, what, &request_) == 0; }
  ifreq& request() { return request_; }

 private:
  int socket_;
  ifreq request_{};
};

unsigned queues_of(Questions& questions) {
  ethtool_channels channels{};
  channels.cmd = ETHTOOL_GCHANNELS;
  questions.request().ifr_data = reinterpret_cast<char*>(&channels);
  if (!questions.ask(SIOCETHTOOL)) return 1;
  return std::max({channels.rx_count + channels.combined_count, 1U});
}

}  // namespace

std::optional<Interface> find_interface(const std::string& name) {
  Interface found;
  found.index = if_nametoindex(name.c_str());
  if (found.index == 0) return std::nullopt;
  Questions questions(name);
  if (questions.ask(SIOCGIFMTU)) found.mtu = static_cast<unsigned>(questions.request().ifr_mtu);
  if (questions.ask(SIOCGIFHWADDR))
    std::memcpy(found.mac.data(), questions.request().ifr_hwaddr.sa_data, found.mac.size());
  if (questions.ask(SIOCGIFFLAGS)) {
    const auto flags = static_cast<unsigned>(questions.request().ifr_flags);
    found.is_enabled = (flags & IFF_UP) != 0;
    found.is_up = found.is_enabled && (flags & IFF_RUNNING) != 0;
  }
  found.queues = queues_of(questions);
  return found;
}

HostAddresses host_addresses(const std::string& interface) {
  HostAddresses addresses;
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return addresses;
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr) continue;
    if (!interface.empty() && interface != one->ifa_name) continue;
    if (one->ifa_addr->sa_family == AF_INET) {
      sockaddr_in address{};
      std::memcpy(&address, one->ifa_addr, sizeof address);
      addresses.v4.push_back({ntohl(address.sin_addr.s_addr)});
    } else if (one->ifa_addr->sa_family == AF_INET6) {
      sockaddr_in6 address{};
      std::memcpy(&address, one->ifa_addr, sizeof address);
      if (!IN6_IS_ADDR_LINKLOCAL(&address.sin6_addr))
        addresses.v6.push_back(lpm::Address6::from_wire(address.sin6_addr.s6_addr));
    }
  }
  freeifaddrs(all);
  return addresses;
}

std::vector<unsigned> usable_cpus() {
  std::vector<unsigned> cpus;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return {0};
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  return cpus;
}

}  // namespace control::daemon
