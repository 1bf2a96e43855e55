// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/log.hpp"

#include <rte_log.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace control::daemon::log {
namespace {

constexpr std::array<std::string_view, 4> kModules{"control", "ports", "publish", "xdp"};
constexpr std::array<std::uint32_t, 5> kLevels{RTE_LOG_ERR, RTE_LOG_WARNING, RTE_LOG_NOTICE,
                                               RTE_LOG_INFO, RTE_LOG_DEBUG};
constexpr std::array<std::string_view, 5> kLevelNames{"error", "warning", "notice", "info",
                                                      "debug"};

// DPDK's numbers for the modules, given on first use.
int type_of(Module module) {
  static const std::array<int, kModules.size()> kTypes = [] {
    std::array<int, kModules.size()> types{};
    for (std::size_t i = 0; i < types.size(); ++i)
      types[i] = rte_log_register_type_and_pick_level(("steer." + std::string(kModules[i])).c_str(),
                                                      RTE_LOG_INFO);
    return types;
  }();
  return kTypes[static_cast<std::size_t>(module)];
}

std::string time_now() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm utc{};
  gmtime_r(&now.tv_sec, &utc);
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  return fmt::format("{}.{:06}Z ", std::string_view(text.data(), size), now.tv_nsec / 1000);
}

// One message of DPDK's or ours, whole lines mostly. sd-daemon(3): <N> is the priority, which
// DPDK's levels are, from 1.
ssize_t write_out(void* /*cookie*/, const char* text, std::size_t size) {
  static const bool kIsJournal = std::getenv("JOURNAL_STREAM") != nullptr;
  const std::string head =
      kIsJournal ? fmt::format("<{}>", rte_log_cur_msg_loglevel() - 1) : time_now();
  const std::string line = head + std::string(text, size);
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
  return static_cast<ssize_t>(size);
}

}  // namespace

void open() {
  FILE* const stream = fopencookie(
      nullptr, "w", {.read = nullptr, .write = write_out, .seek = nullptr, .close = nullptr});
  if (stream == nullptr) return;
  setvbuf(stream, nullptr, _IOLBF, BUFSIZ);
  rte_openlog_stream(stream);
  type_of(Module::control);
}

bool set_level(const LogLevel& level) {
  std::uint32_t number = RTE_LOG_INFO;
  for (std::size_t i = 0; i < kLevels.size(); ++i)
    if (level.level == kLevelNames[i]) number = kLevels[i];
  if (level.module == "*") return rte_log_set_level_pattern("steer.*", number) == 0;
  for (std::size_t i = 0; i < kModules.size(); ++i)
    if (level.module == kModules[i])
      return rte_log_set_level(static_cast<std::uint32_t>(type_of(static_cast<Module>(i))),
                               number) == 0;
  return rte_log_set_level_pattern(level.module.c_str(), number) == 0;
}

void write(Module module, Level level, std::string_view message) {
  rte_log(kLevels[static_cast<std::size_t>(level)], static_cast<std::uint32_t>(type_of(module)),
          "%s\n",
          fmt::format("{}: {}", kModules[static_cast<std::size_t>(module)], message).c_str());
}

}  // namespace control::daemon::log
