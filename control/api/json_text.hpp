// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "control/api/error.hpp"
#include "control/store/rows.hpp"

// JSON written straight into a string: a million objects are listed without a tree of them.
namespace control::api {

// A JSON string in quotation marks. text: valid UTF-8.
void append_quoted(std::string& to, std::string_view text);
// RFC 3339 with microseconds, in quotation marks.
void append_time(std::string& to, store::Micros at);
// "2026-01-31T23:59:59.123456Z".
[[nodiscard]] std::string time_text(store::Micros at);

// {"success":true,...,"result":RESULT}. `result` is JSON; empty: there is no member `result`.
[[nodiscard]] std::string success_of(std::string_view result);
[[nodiscard]] std::string failure_of(const Error& error);

}  // namespace control::api
