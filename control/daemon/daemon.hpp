// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "control/binding_set.hpp"
#include "control/daemon/config.hpp"
#include "control/daemon/layout.hpp"

namespace control::daemon {

// Runs until a signal asks it to end. bindings: where there is no data directory. arguments: of the
// command line, for reloads. Throws what keeps it from starting or going on, one line each:
// StartError, EalError, DeviceError, XdpError, ServerError, ...
void run(const Config& config, const Layout& layout, BindingSet bindings,
         const std::vector<const char*>& arguments);

}  // namespace control::daemon
