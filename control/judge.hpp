// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "control/draft.hpp"
#include "control/violation.hpp"

namespace control {

// Rules 1, 2, 3, 6 and "outside its prefix" of rule 4, provided that `before` kept them. A
// violation is blamed on the change of the more specific binding, else on that of its cover, else
// on the removal of what lay between. O(candidates).
void judge_bindings(const Draft& draft, Violations& violations);

}  // namespace control
