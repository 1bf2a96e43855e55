// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <vector>

// Where settings come from: the command line, and a file of lines `key = value`, both read by
// Boost.Program_options.
namespace control::daemon {

struct Setting {
  std::string key;
  std::string value;
  std::string origin;  // FILE:LINE, or --key
  bool from_file = false;
};

// What can be set. The list of all of them is in keys.cpp.
struct KeyName {
  const char* key;
  const char* value_name;  // null: a switch without value
  const char* help;
  bool in_file = true;
};

using Errors = std::vector<std::string>;

// Every option is given with its value; abbreviations are not guessed.
[[nodiscard]] std::expected<std::vector<Setting>, Errors> settings_of_command_line(
    int argc, const char* const* argv, const std::vector<KeyName>& known);

// All errors of the file, each with its line: unknown keys, lines that are none.
[[nodiscard]] std::expected<std::vector<Setting>, Errors> settings_of_file(
    const std::filesystem::path& path, const std::vector<KeyName>& known);

[[nodiscard]] std::string described(const std::vector<KeyName>& known);

// Splits at blanks; "..." keeps them together, as in a shell.
[[nodiscard]] std::vector<std::string> words_of(const std::string& text);

}  // namespace control::daemon
