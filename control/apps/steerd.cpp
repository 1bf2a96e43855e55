// SPDX-License-Identifier: BSD-3-Clause
//
// steerd: the daemon of an edge host.
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <expected>
#include <string>
#include <utility>
#include <vector>

#include "control/bindings_file.hpp"
#include "control/daemon/config.hpp"
#include "control/daemon/daemon.hpp"
#include "control/daemon/describe.hpp"
#include "control/daemon/keys.hpp"
#include "control/daemon/persisted.hpp"

namespace {

using control::daemon::Config;

enum ExitStatus : int { kEnded = 0, kFailed = 1, kRefused = 2 };

// Nothing can be done where nobody can be told.
void complain(const std::string& message) {
  std::fputs(("steerd: " + message + "\n").c_str(), stderr);
}

int print(const std::string& text) {
  return std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0 ? kEnded : kFailed;
}

std::expected<control::BindingSet, int> bindings_of(const Config& config) {
  auto bindings = control::load_bindings(config.bindings, config.rules);
  if (bindings) return std::move(*bindings);
  for (const control::FileError& error : bindings.error())
    complain(to_string(error, config.bindings.string()));
  return std::unexpected(kRefused);
}

int tell(const control::daemon::Finding& finding) {
  const int printed = print(finding.text);
  for (const std::string& lacking : finding.lacking) complain(lacking);
  if (!finding.lacking.empty()) complain("would not start on this host");
  return finding.lacking.empty() ? printed : kFailed;
}

// Throws what stands in the way as std::exception.
int check(const Config& config) {
  if (config.bindings.empty()) {
    const auto [bindings, store] =
        control::daemon::foresee_data_directory(config.data_directory, config.rules);
    return tell(describe(config, bindings, store));
  }
  const auto bindings = bindings_of(config);
  return bindings ? tell(describe(config, *bindings, {})) : bindings.error();
}

// Throws what stands in the way as std::exception.
int run(const Config& config, const std::vector<const char*>& arguments) {
  // Of a store they are read once there is only this instance.
  std::expected<control::BindingSet, int> bindings{control::BindingSet(config.rules)};
  if (!config.bindings.empty()) bindings = bindings_of(config);
  if (!bindings) return bindings.error();
  const auto layout = control::daemon::lay_out(config);
  if (!layout) {
    for (const std::string& error : layout.error()) complain(error);
    return kFailed;
  }
  control::daemon::run(config, *layout, std::move(*bindings), arguments);
  return kEnded;
}

}  // namespace

int main(int argc, char** argv) {
  const auto config = control::daemon::parse_config(argc, argv);
  if (!config) {
    for (const std::string& error : config.error()) complain(error);
    complain("try: steerd --help");
    return kRefused;
  }
  if (config->help) return print(control::daemon::usage());
  if (config->version) return print(fmt::format("steerd {}\n", STEER_VERSION));
  try {
    return config->check ? check(*config)
                         : run(*config, std::vector<const char*>(argv, argv + argc));
  } catch (const std::exception& error) {
    complain(error.what());
    return kFailed;
  }
}
