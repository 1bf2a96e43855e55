// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

// The command line of steerctl.
namespace control::ctl {

enum class Action : std::uint8_t {
  list_services,
  list_prefixes,
  add_prefix,
  delete_prefix,
  list_bindings,
  add_bindings,
  delete_bindings,
  move_bindings,
  apply,
  export_state,
  explain,
  stats,
  top,
  history,
  rollback,
  create_token,
  list_tokens,
  revoke_tokens,
  status,
};

struct Command {
  Action action;
  std::string_view name;       // "bindings list"
  std::string_view arguments;  // as the usage shows them
  std::size_t words_min;
  std::size_t words_max;
  std::vector<std::string_view> options;  // that it takes, beside those of every command
  std::string_view summary;               // one line
  std::string_view text;                  // more of it, and examples
};
[[nodiscard]] std::span<const Command> commands();

// A mistake on the command line; one line.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Options {
  const Command* command = nullptr;                        // null: only help or version is wanted
  std::vector<std::string> words;                          // behind the command's name
  std::map<std::string, std::string, std::less<>> values;  // by long names; empty for switches

  [[nodiscard]] bool has(std::string_view name) const { return values.contains(name); }
  // Empty where it was not given; what is given is never empty.
  [[nodiscard]] const std::string& text(std::string_view name) const;
  // A whole number; `otherwise` where it was not given. Throws UsageError.
  [[nodiscard]] std::uint64_t number(std::string_view name, std::uint64_t min, std::uint64_t max,
                                     std::uint64_t otherwise) const;
};

// Throws UsageError, which says what is wrong, its value, and what there is.
[[nodiscard]] Options parse_options(int argc, const char* const* argv);

// With a command its own help, else that of all.
[[nodiscard]] std::string usage(const Command* command);

}  // namespace control::ctl
