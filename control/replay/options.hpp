// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <vector>

#include "dataplane/table.hpp"

namespace control::replay {

// What the command line of steer-replay says.
struct Options {
  struct Input {
    std::string path;  // "-": standard input
    dataplane::Direction direction = dataplane::Direction::ingress;
  };

  bool help = false;
  bool version = false;
  std::string bindings;
  std::vector<Input> captures;  // in the order of the command line
  std::string output_dir;       // empty: none
  std::string verdicts;         // empty: none
  bool json = false;
  bool all_bindings = false;
  unsigned repeat = 1;
  unsigned workers = 1;
  dataplane::Settings settings;
  std::vector<std::string> eal;  // arguments behind "--"
};

// The error says which option is wrong, its value, and what is allowed.
[[nodiscard]] std::expected<Options, std::string> parse_options(int argc, const char* const* argv);

[[nodiscard]] std::string usage();

}  // namespace control::replay
