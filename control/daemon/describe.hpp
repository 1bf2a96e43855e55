// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "control/binding_set.hpp"
#include "control/daemon/config.hpp"
#include "control/daemon/setting.hpp"

namespace control::daemon {

struct Finding {
  std::string text;  // what would be done, line by line
  Errors lacking;    // what this host lacks for it
};

// What steerd would do with this configuration, and what of it this host cannot give. store: what
// was found out of it; empty: bindings are of a file. Looks at the host; changes nothing.
[[nodiscard]] Finding describe(const Config& config, const BindingSet& bindings,
                               const std::string& store);

}  // namespace control::daemon
