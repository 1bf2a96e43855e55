// SPDX-License-Identifier: BSD-3-Clause
#include "control/replay/paths.hpp"

#include <fmt/format.h>

namespace control::replay {
namespace {

namespace fs = std::filesystem;

bool is_one_regular_file(const fs::path& a, const fs::path& b) {
  std::error_code error;
  if (fs::exists(a, error) && fs::exists(b, error))
    return fs::is_regular_file(a, error) && fs::equivalent(a, b, error);
  const fs::path absolute_a = fs::weakly_canonical(a, error);
  return !error && absolute_a == fs::weakly_canonical(b, error);
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

}  // namespace control::replay
