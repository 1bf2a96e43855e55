// SPDX-License-Identifier: BSD-3-Clause
#include "control/replay/paths.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace control::replay {
namespace {

namespace fs = std::filesystem;

// Absolute and without links, as far as it exists. weakly_canonical alone leaves a relative path
// whose first name does not exist as it is.
fs::path resolved(const fs::path& path) {
  std::error_code error;
  return fs::weakly_canonical(fs::absolute(path, error), error);
}

fs::path parent_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

bool is_one_regular_file(const fs::path& a, const fs::path& b) {
  std::error_code error;
  if (fs::exists(a, error) && fs::exists(b, error))
    return fs::is_regular_file(a, error) && fs::equivalent(a, b, error);
  const fs::path resolved_a = resolved(a);
  return !resolved_a.empty() && resolved_a == resolved(b);
}

// Zero, or the errno that opening `output` for writing would give.
int error_of_writing(const fs::path& output) {
  std::error_code error;
  if (!fs::exists(output, error))
    return access(parent_of(output).c_str(), W_OK | X_OK) == 0 ? 0 : errno;
  if (fs::is_directory(output, error)) return EISDIR;
  return access(output.c_str(), W_OK) == 0 ? 0 : errno;
}

// Whether making `directory` makes `parent` too. Neither need exist.
bool makes(const fs::path& directory, const fs::path& parent) {
  const fs::path inner = resolved(directory);
  const fs::path outer = resolved(parent);
  return std::ranges::mismatch(outer, inner).in1 == outer.end();
}

}  // namespace

std::optional<std::string> clash_of(const std::vector<fs::path>& inputs,
                                    const std::vector<fs::path>& outputs) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    for (const fs::path& input : inputs)
      if (is_one_regular_file(outputs[i], input == "-" ? "/dev/stdin" : input))
        return fmt::format("{}: is read by this replay ({}) and would be replaced",
                           outputs[i].string(), input == "-" ? "standard input" : input.string());
    for (std::size_t k = 0; k < i; ++k)
      if (is_one_regular_file(outputs[i], outputs[k]))
        return fmt::format("{}: would be written twice, as {} too", outputs[i].string(),
                           outputs[k].string());
  }
  return std::nullopt;
}

std::optional<std::string> obstacle_to(const std::vector<fs::path>& outputs,
                                       const fs::path& directory) {
  std::error_code error;
  const bool is_to_be_made = !directory.empty() && !fs::is_directory(directory, error);
  for (const fs::path& output : outputs) {
    const fs::path parent = parent_of(output);
    if (is_to_be_made && !fs::is_directory(parent, error) && makes(directory, parent)) continue;
    if (const int number = error_of_writing(output); number != 0)
      return fmt::format("{}: cannot be written: {}", output.string(), std::strerror(number));
  }
  return std::nullopt;
}

}  // namespace control::replay
