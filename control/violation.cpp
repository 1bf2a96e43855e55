// SPDX-License-Identifier: BSD-3-Clause
#include "control/violation.hpp"

namespace control {

void Violations::add(Violation&& violation) {
  const std::pair key(violation.change, violation.code);
  violations_.try_emplace(key, std::move(violation));
}

std::vector<Violation> Violations::take() {
  std::vector<Violation> taken;
  taken.reserve(violations_.size());
  for (auto& [key, violation] : violations_) taken.push_back(std::move(violation));
  violations_.clear();
  return taken;
}

}  // namespace control
