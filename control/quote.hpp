// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <string_view>

namespace control {

// Text from outside, safe for one line on a terminal or in a log: control characters are escaped as
// JSON does, and what is longer than 64 bytes is cut, with "..." in its place.
[[nodiscard]] std::string printable(std::string_view text);
// The same in quotation marks.
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace control
