// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "control/daemon/data_plane.hpp"
#include "control/daemon/publication.hpp"
#include "control/numbering.hpp"

namespace control::daemon {

// What steerd tells through DPDK's telemetry (dpdk-telemetry.py -f PREFIX): /steer/...
//
// DPDK calls from threads of its own; everything here reads what any thread may. Its commands have
// no context and cannot be taken back: one Telemetry at a time in a process.
class Telemetry {
 public:
  Telemetry(const DataPlane& data_plane, const Publication& publication,
            const Numbering& numbering);
  ~Telemetry();
  Telemetry(const Telemetry&) = delete;
  Telemetry& operator=(const Telemetry&) = delete;
};

}  // namespace control::daemon
