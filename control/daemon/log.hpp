// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/daemon/config.hpp"

// Logs, through DPDK's library: one stream for steerd, EAL and drivers, a level for each module.
// To standard error; with time, or with the priorities of the journal where it listens. Nothing is
// logged for a packet. Thread safe.
namespace control::daemon::log {

enum class Module : std::uint8_t { control, ports, publish, xdp };
enum class Level : std::uint8_t { error, warning, notice, info, debug };

// Before EAL starts, which would choose syslog else.
void open();

// Sets the levels; a module is "control", "ports", "publish", "xdp", "*" (all of these), or a
// pattern of DPDK's own names like "pmd.net.*". False where nothing has the name.
bool set_level(const LogLevel& level);

void write(Module module, Level level, std::string_view message);

template <class... Args>
void error(Module module, fmt::format_string<Args...> format, Args&&... args) {
  write(module, Level::error, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warning(Module module, fmt::format_string<Args...> format, Args&&... args) {
  write(module, Level::warning, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void notice(Module module, fmt::format_string<Args...> format, Args&&... args) {
  write(module, Level::notice, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void info(Module module, fmt::format_string<Args...> format, Args&&... args) {
  write(module, Level::info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void debug(Module module, fmt::format_string<Args...> format, Args&&... args) {
  write(module, Level::debug, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace control::daemon::log
