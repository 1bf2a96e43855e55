// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <string>

#include "control/daemon/config.hpp"
#include "control/daemon/setting.hpp"

namespace control::daemon {

// The command line, and the file that it names with --config. A setting of the command line wins
// over one of the file; a port or output given there replaces the file's of the same name. Relative
// paths of a file are relative to its folder. All errors are returned, each with its origin.
[[nodiscard]] std::expected<Config, Errors> parse_config(int argc, const char* const* argv);

// Whether a change takes effect on reload; other settings need a restart.
[[nodiscard]] bool can_change_while_running(std::string_view key) noexcept;

[[nodiscard]] std::string usage();

}  // namespace control::daemon
