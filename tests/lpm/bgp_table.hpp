// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stdio.h>

#include <array>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "lpm/prefix.hpp"

// A full table of the Internet, if it lies beside the source tree.
namespace bgp_table {

inline const std::filesystem::path kPath =
    std::filesystem::path(STEER_SOURCE_ROOT) / "../shared/data/tables/bgp-2025-10.prefixes.txt.gz";

// One prefix a line. Throws at the first that is none.
inline std::vector<lpm::AnyPrefix> read_prefixes() {
  const std::string command = "zcat '" + kPath.string() + "'";
  FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
  std::vector<lpm::AnyPrefix> prefixes;
  std::array<char, 128> line;
  while (fgets(line.data(), line.size(), pipe) != nullptr) {
    std::string_view text = line.data();
    // The lines of the published file end in CR LF.
    text = text.substr(0, text.find_first_of("\r\n"));
    prefixes.push_back(lpm::parse_prefix(text).value());
  }
  if (pclose(pipe) != 0) throw std::runtime_error(command + " failed");
  return prefixes;
}

}  // namespace bgp_table
