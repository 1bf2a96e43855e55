// SPDX-License-Identifier: BSD-3-Clause
#include "control/verdict_text.hpp"

#include <fmt/format.h>

namespace control {

using dataplane::Verdict;

std::string counter_name(Verdict verdict) {
  const dataplane::VerdictInfo& info = info_of(verdict);
  std::string name = fmt::format("{}_{}", name_of(info.outcome), info.reason);
  if (verdict == Verdict::magic_transit_egress_inside) name += "_inside";
  if (verdict == Verdict::magic_transit_egress_outside) name += "_outside";
  return name;
}

}  // namespace control
