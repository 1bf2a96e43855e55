// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <optional>
#include <string>

// sd_notify(3): a datagram to the socket that the service manager names. Without one, nothing.
namespace control::daemon {

class Notifier {
 public:
  // Takes NOTIFY_SOCKET and WATCHDOG_USEC out of the environment.
  Notifier();
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  void ready(const std::string& status);
  void reloading();
  void stopping();
  void status(const std::string& text);
  void alive();

  // How often alive() is to be said, if anybody listens.
  [[nodiscard]] std::optional<std::chrono::microseconds> watchdog_period() const noexcept {
    return watchdog_period_;
  }

 private:
  void send(const std::string& text) const;

  int socket_ = -1;
  std::optional<std::chrono::microseconds> watchdog_period_;
};

}  // namespace control::daemon
