// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace support {

// A client of DPDK's telemetry, as dpdk-telemetry.py is one.
class Telemetry {
 public:
  // Throws std::runtime_error where nobody listens.
  explicit Telemetry(const std::filesystem::path& socket_path)
      : socket_(socket(AF_UNIX, SOCK_SEQPACKET, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket_path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      close(socket_);
      throw std::runtime_error("nobody listens at " + socket_path.string());
    }
    receive();  // a greeting
  }
  ~Telemetry() { close(socket_); }
  Telemetry(const Telemetry&) = delete;
  Telemetry& operator=(const Telemetry&) = delete;

  // "/steer/ports,wan": what it answers; null if it does not know.
  nlohmann::json ask(const std::string& command) {
    if (send(socket_, command.data(), command.size(), MSG_NOSIGNAL) < 0)
      throw std::runtime_error("telemetry has gone");
    const nlohmann::json answer = nlohmann::json::parse(receive());
    return answer.begin().value();
  }

 private:
  std::string receive() {
    std::vector<char> text(1U << 16);
    const ssize_t size = recv(socket_, text.data(), text.size(), 0);
    if (size <= 0) throw std::runtime_error("telemetry has gone");
    return {text.data(), static_cast<std::size_t>(size)};
  }

  int socket_;
};

}  // namespace support
