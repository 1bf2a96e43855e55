// SPDX-License-Identifier: BSD-3-Clause
//
// steerd: the daemon of an edge host.
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <expected>
#include <filesystem>
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

int check(const Config& config, const control::BindingSet& bindings) {
  const control::daemon::Finding finding = describe(config, bindings);
  const int printed = print(finding.text);
  for (const std::string& lacking : finding.lacking) complain(lacking);
  if (!finding.lacking.empty()) complain("would not start on this host");
  return finding.lacking.empty() ? printed : kFailed;
}

// What --check looks at: the file, or what is in the data directory by now.
std::expected<control::BindingSet, int> bindings_of(const Config& config) {
  if (config.bindings.empty()) {
    const bool is_there =
        std::filesystem::exists(control::daemon::store_path(config.data_directory));
    if (!config.check || !is_there) return control::BindingSet(config.rules);
    return control::daemon::open_data_directory(config.data_directory, config.rules, {})
        .state.bindings();
  }
  auto bindings = control::load_bindings(config.bindings, config.rules);
  if (bindings) return std::move(*bindings);
  for (const control::FileError& error : bindings.error())
    complain(to_string(error, config.bindings.string()));
  return std::unexpected(kRefused);
}

// Throws what stands in the way as std::exception.
int run(const Config& config, const std::vector<const char*>& arguments) {
  auto bindings = bindings_of(config);
  if (!bindings) return bindings.error();
  if (config.check) return check(config, *bindings);
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
    return run(*config, std::vector<const char*>(argv, argv + argc));
  } catch (const std::exception& error) {
    complain(error.what());
    return kFailed;
  }
}
