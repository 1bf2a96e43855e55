// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/json_text.hpp"

#include <fmt/format.h>

#include <chrono>
#include <iterator>

namespace control::api {

void append_quoted(std::string& to, std::string_view text) {
  to += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        to += "\\\"";
        break;
      case '\\':
        to += "\\\\";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20)
          fmt::format_to(std::back_inserter(to), "\\u{:04x}", static_cast<unsigned char>(c));
        else
          to += c;
    }
  }
  to += '"';
}

std::string time_text(store::Micros at) {
  using namespace std::chrono;
  const sys_time<microseconds> time{microseconds(at)};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

void append_time(std::string& to, store::Micros at) {
  to += '"';
  to += time_text(at);
  to += '"';
}

std::string success_of(std::string_view result) {
  std::string text = R"({"success":true,"errors":[],"messages":[])";
  text.reserve(text.size() + result.size() + 16);
  if (!result.empty()) {
    text += R"(,"result":)";
    text += result;
  }
  text += '}';
  return text;
}

std::string failure_of(const Error& error) {
  std::string text = R"({"success":false,"errors":[)";
  for (const Fault& fault : error.faults) {
    if (&fault != &error.faults.front()) text += ',';
    fmt::format_to(std::back_inserter(text), R"({{"code":{},"message":)",
                   static_cast<unsigned>(fault.code));
    append_quoted(text, fault.message);
    if (!fault.pointer.empty()) {
      text += R"(,"source":{"pointer":)";
      append_quoted(text, fault.pointer);
      text += '}';
    }
    text += '}';
  }
  text += R"(],"messages":[],"result":null})";
  return text;
}

}  // namespace control::api
