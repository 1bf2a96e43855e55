// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace control::replay {

// Why these outputs cannot be written without losing something: one of them is an input, or two of
// them are one file. Links are followed; "-" among the inputs is what standard input comes from.
// Files that are not regular (/dev/null, pipes) may occur as often as they like.
[[nodiscard]] std::optional<std::string> clash_of(
    const std::vector<std::filesystem::path>& inputs,
    const std::vector<std::filesystem::path>& outputs);

// Why one of these outputs could not be opened for writing, as far as can be told without touching
// any: so that a replay that cannot start replaces nothing. directory: will be made if it is
// missing, with what is missing above it; empty: none.
[[nodiscard]] std::optional<std::string> obstacle_to(
    const std::vector<std::filesystem::path>& outputs, const std::filesystem::path& directory);

}  // namespace control::replay
