// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

#include "tests/support/packets.hpp"

namespace support {

// Runs a command of the shell; throws where it fails.
inline void shell(const std::string& command) {
  if (std::system((command + " 2>/dev/null").c_str()) != 0)
    throw std::runtime_error("failed: " + command);
}

// A network namespace of a test's own. Needs root.
class NetworkNamespace {
 public:
  explicit NetworkNamespace(const std::string& name)
      : name_("steer-test-" + std::to_string(getpid()) + "-" + name) {
    shell("ip netns add " + name_);
    run("ip link set lo up");
  }
  ~NetworkNamespace() { std::system(("ip netns del " + name_).c_str()); }
  NetworkNamespace(const NetworkNamespace&) = delete;
  NetworkNamespace& operator=(const NetworkNamespace&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  void run(const std::string& command) const { shell("ip netns exec " + name_ + " " + command); }
  // Calls `work` inside, and returns when it has; sockets that it makes belong there.
  void inside(const auto& work) const {
    std::thread([&] {
      const int descriptor = open(("/var/run/netns/" + name_).c_str(), O_RDONLY | O_CLOEXEC);
      if (setns(descriptor, CLONE_NEWNET) == 0) work();
      close(descriptor);
    }).join();
  }

 private:
  std::string name_;
};

// Sends and sees whole frames of an interface.
class FrameSocket {
 public:
  FrameSocket(const NetworkNamespace& in, const std::string& interface) {
    in.inside([&] {
      constexpr int kAll = 0x0300;  // ETH_P_ALL in network order
      socket_ = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, kAll);
      sockaddr_ll address{};
      address.sll_family = AF_PACKET;
      address.sll_protocol = kAll;
      address.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
      if (bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error("no such interface: " + interface);
    });
  }
  ~FrameSocket() { close(socket_); }
  FrameSocket(const FrameSocket&) = delete;
  FrameSocket& operator=(const FrameSocket&) = delete;

  void send(const Bytes& frame) const { ::send(socket_, frame.data(), frame.size(), 0); }

  // The first frame that arrives and fits; none within the limit: nullopt.
  std::optional<Bytes> receive(const auto& fits, std::chrono::milliseconds limit) const {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    for (;;) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          deadline - std::chrono::steady_clock::now());
      pollfd awaited{socket_, POLLIN, 0};
      if (left.count() < 0 || poll(&awaited, 1, static_cast<int>(left.count()) + 1) <= 0)
        return std::nullopt;
      std::array<std::uint8_t, 4096> bytes{};
      sockaddr_ll from{};
      socklen_t size_of_from = sizeof from;
      const ssize_t size = recvfrom(socket_, bytes.data(), bytes.size(), 0,
                                    reinterpret_cast<sockaddr*>(&from), &size_of_from);
      if (size <= 0 || from.sll_pkttype == PACKET_OUTGOING) continue;
      Bytes frame(bytes.begin(), bytes.begin() + size);
      if (fits(frame)) return frame;
    }
  }

 private:
  int socket_ = -1;
};

}  // namespace support
