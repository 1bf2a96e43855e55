// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/notify.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <ctime>

namespace control::daemon {

Notifier::Notifier() {
  const char* const given = std::getenv("NOTIFY_SOCKET");
  const std::string path = given == nullptr ? "" : given;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (!path.empty() && path.size() < sizeof address.sun_path) {
    path.copy(address.sun_path, path.size());
    if (path[0] == '@') address.sun_path[0] = '\0';  // an abstract socket
    socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    if (socket_ >= 0 && connect(socket_, reinterpret_cast<const sockaddr*>(&address), size) != 0) {
      close(socket_);
      socket_ = -1;
    }
  }
  if (const char* const period = std::getenv("WATCHDOG_USEC"); period != nullptr && socket_ >= 0)
    if (const auto limit = std::strtoull(period, nullptr, 10); limit != 0)
      watchdog_period_ = std::chrono::microseconds(limit / 3);
  unsetenv("NOTIFY_SOCKET");
  unsetenv("WATCHDOG_USEC");
}

Notifier::~Notifier() {
  if (socket_ >= 0) close(socket_);
}

void Notifier::send(const std::string& text) const {
  if (socket_ >= 0) [[maybe_unused]]
    const ssize_t sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void Notifier::ready(const std::string& status) {
  send("READY=1\nSTATUS=" + status);
}

void Notifier::reloading() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const std::uint64_t us = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000U +
                           static_cast<std::uint64_t>(now.tv_nsec) / 1000U;
  send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", us));
}

void Notifier::stopping() {
  send("STOPPING=1");
}

void Notifier::status(const std::string& text) {
  send("STATUS=" + text);
}

void Notifier::alive() {
  send("WATCHDOG=1");
}

}  // namespace control::daemon
