// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "control/binding.hpp"
#include "control/replay/replay.hpp"

namespace control::replay {

struct ReportOptions {
  // Rows of bindings, the busiest first. Without a limit those without packets are shown, too.
  std::optional<std::size_t> bindings_max = 20;
  bool colour = false;  // of the table for people
};

// bindings: by number, as in CompiledTable. Each ends with a line feed.
[[nodiscard]] std::string table_of(const ReplayResult& result, const std::vector<Binding>& bindings,
                                   const ReportOptions& options);
[[nodiscard]] std::string json_of(const ReplayResult& result, const std::vector<Binding>& bindings,
                                  const ReportOptions& options);

}  // namespace control::replay
