// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <string_view>

#include "dataplane/verdict.hpp"

namespace control {

// As counters call it, another for each verdict: "cdn_bound", "magic_transit_egress_inside",
// "drop_cdn_queue_full".
[[nodiscard]] std::string counter_name(dataplane::Verdict verdict);

}  // namespace control
