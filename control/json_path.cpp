// SPDX-License-Identifier: BSD-3-Clause
#include "control/json_path.hpp"

#include <utility>

#include "control/quote.hpp"

namespace control {

std::string JsonPath::pointer() const {
  std::string pointer;
  for (const Step& step : steps_) {
    if (!step.has_member) break;
    pointer += '/';
    if (step.is_array) {
      pointer += std::to_string(step.index);
      continue;
    }
    for (const char c : printable(step.key)) {
      if (c == '~')
        pointer += "~0";
      else if (c == '/')
        pointer += "~1";
      else
        pointer += c;
    }
  }
  return pointer;
}

void JsonPath::next_key(std::string_view key) {
  steps_.back().has_member = true;
  steps_.back().key = key;
}

void JsonPath::next_element() {
  if (steps_.empty() || !steps_.back().is_array) return;
  Step& step = steps_.back();
  if (std::exchange(step.has_member, true)) ++step.index;
}

}  // namespace control
