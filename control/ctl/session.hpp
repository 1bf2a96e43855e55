// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "control/ctl/client.hpp"
#include "control/ctl/options.hpp"
#include "control/ctl/text.hpp"

namespace control::ctl {

// In the order in which the API has its members.
using Json = nlohmann::ordered_json;

enum ExitStatus : int { kDone = 0, kRefused = 1, kUsage = 2, kUnreachable = 3 };

// Ends a command; what it says, and what to do, may be several lines.
class Failure : public std::runtime_error {
 public:
  Failure(ExitStatus exit_status, const std::string& message)
      : std::runtime_error(message), status(exit_status) {}

  ExitStatus status;
};

// Whom steerctl talks to: a terminal, files, or a test.
struct Console {
  std::function<void(std::string_view)> out;  // throws Failure where it cannot be written
  std::function<void(std::string_view)> error;
  // Of a person; only where can_ask.
  std::function<bool(const std::string& question)> confirm;
  // Waits; false: it was interrupted, and the command is to end well.
  std::function<bool(std::chrono::milliseconds)> pause;
  bool can_ask = false;
  bool is_coloured = false;
  bool is_terminal = false;  // what is printed can be replaced
};

// One run of a command: what was asked for, and the server that is asked.
class Session {
 public:
  // All that is given outlives it.
  Session(const Options& options, const Access& access, Console& console);

  [[nodiscard]] const Options& options() const noexcept { return options_; }
  [[nodiscard]] Console& console() noexcept { return console_; }
  // "-" where none is known: to who is of no account, all accounts are alike.
  [[nodiscard]] std::string account_or_any() const;
  [[nodiscard]] const std::string& account() const noexcept { return access_.account; }

  // The member `result` of a reply below 300; null where it has none. Throws Failure, with all
  // that the server said, and what can be done about it.
  [[nodiscard]] Json ask(const Request& request);
  [[nodiscard]] Json get(const std::string& target) { return ask({"GET", target}); }
  // A body that is not in an envelope.
  void download(const std::string& target, const Sink& sink);

  void print(std::string_view text) { console_.out(text); }
  void print(const Table& table) { console_.out(table.text(console_.is_coloured)); }
  // True: --json was given, and it is printed.
  bool print_as_json(const Json& result);
  [[nodiscard]] std::string painted(std::string_view text, Colour colour) const {
    return ctl::painted(text, colour, console_.is_coloured);
  }

 private:
  const Options& options_;
  const Access& access_;
  Console& console_;
  Client client_;
};

// "?a=b&c=d" of those that are not empty; empty: none is.
using Pairs = std::initializer_list<std::pair<std::string_view, std::string_view>>;
[[nodiscard]] std::string query_of(Pairs pairs);

// A member for people: text (harmless), a number, yes or no; "-" for null or where it is not there.
[[nodiscard]] std::string cell(const Json& object, std::string_view key);
// The same; of a number that counts something, the digits in groups.
[[nodiscard]] std::string amount(const Json& object, std::string_view key);
[[nodiscard]] std::uint64_t number(const Json& object, std::string_view key);
[[nodiscard]] double rate(const Json& object, std::string_view key);
// "2026-01-31 23:59:59" of RFC 3339, in UTC.
[[nodiscard]] std::string moment(const Json& object, std::string_view key);
// True and set for both of a flag: "true" or nothing.
[[nodiscard]] inline std::string_view flag(const Options& options, std::string_view name) {
  return options.has(name) ? "true" : "";
}

// Carries a command out. Everything that goes wrong has been said then. environment: for where the
// API is.
[[nodiscard]] ExitStatus run(const Options& options, const Environment& environment,
                             Console& console);

}  // namespace control::ctl
