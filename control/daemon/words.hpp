// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/daemon/config.hpp"

// Values of settings, from text. Each throws BadValue with what is wrong and what is allowed.
namespace control::daemon {

struct BadValue {
  std::string message;
};

// The value that `text` names among `choices`.
template <class T>
[[nodiscard]] T choice(std::string_view what, std::string_view text,
                       std::initializer_list<std::pair<std::string_view, T>> choices);

struct Range {
  std::uint64_t min = 0;
  std::uint64_t max = 0;
};
[[nodiscard]] std::uint64_t number(std::string_view what, std::string_view text, Range allowed);
[[nodiscard]] std::string_view nonempty(std::string_view what, std::string_view text);
// Letters, digits, - and _, at most kNameBytesMax.
[[nodiscard]] std::string name(std::string_view what, std::string_view text);
[[nodiscard]] dataplane::MacAddress mac(std::string_view what, std::string_view text);
// "250ms", "2s"; a bare number is refused.
[[nodiscard]] std::chrono::milliseconds duration(std::string_view what, std::string_view text);
// "1,3-5".
[[nodiscard]] std::vector<unsigned> numbers(std::string_view what, std::string_view text,
                                            Range allowed);

// "127.0.0.1:8642", "[::1]:8642".
[[nodiscard]] ApiConfig::Listen listen_of(std::string_view what, std::string_view text);

// "wan interface=eth1 role=ingress" and "cdn port=lan rewrite=ethernet ...".
[[nodiscard]] PortConfig port_of(const std::string& text);
[[nodiscard]] OutputConfig output_of(const std::string& text);

[[noreturn]] void refuse_choice(std::string_view what, std::string_view text,
                                const std::vector<std::string_view>& allowed);

template <class T>
T choice(std::string_view what, std::string_view text,
         std::initializer_list<std::pair<std::string_view, T>> choices) {
  std::vector<std::string_view> allowed;
  for (const auto& [name, value] : choices) {
    if (text == name) return value;
    allowed.push_back(name);
  }
  refuse_choice(what, text, allowed);
}

}  // namespace control::daemon
