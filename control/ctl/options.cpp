// SPDX-License-Identifier: BSD-3-Clause
#include "control/ctl/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/program_options.hpp>
#include <charconv>
#include <optional>
#include <ranges>
#include <utility>

#include "control/quote.hpp"

namespace control::ctl {
namespace {

namespace po = boost::program_options;
using Strings = std::vector<std::string>;

struct Described {
  std::string_view name;
  std::string_view value;  // empty: a switch
  std::string_view text;
};

// Those of every command.
constexpr std::array kCommon{
    Described{"api", "URL", "http://HOST:PORT, https://HOST:PORT or unix:PATH (STEER_API)"},
    Described{"token-file", "FILE", "the token is the first line there (STEER_TOKEN)"},
    Described{"ca", "FILE", "who may have signed the server's certificate (PEM)"},
    Described{"account", "ID", "the account that is meant (CLOUDFLARE_ACCOUNT_ID)"},
    Described{"timeout", "SECONDS", "for the server to go on answering (60)"},
    Described{"json", "", "print what the API says, for programs"},
    Described{"help", "", "print this text; behind a command, that command's"},
    Described{"version", "", "print the version"},
};

constexpr std::array kOfCommands{
    Described{"service", "SERVICE", "magic_transit, cdn or spectrum"},
    Described{"asn", "N", "the prefix's AS number"},
    Described{"description", "TEXT", "what people call the prefix"},
    Described{"cascade", "", "delete its bindings too"},
    Described{"prefix", "CIDR", "bindings of this prefix"},
    Described{"within", "CIDR", "bindings inside this block"},
    Described{"address", "ADDRESS", "bindings that cover this address"},
    Described{"state", "STATE", "bindings in this state"},
    Described{"order", "packets|rate", "the busiest first"},
    Described{"limit", "N", "at most so many"},
    Described{"output", "FILE", "write there"},
    Described{"direction", "ingress|egress", "of the packet (ingress)"},
    Described{"protocol", "PROTOCOL", "of the packet"},
    Described{"port", "PORT", "the packet's destination port"},
    Described{"source", "ADDRESS", "the packet's source"},
    Described{"source-port", "PORT", "the packet's source port"},
    Described{"fragment", "", "the packet is a fragment"},
    Described{"kernel-path", "true|false", "whether its port has a way to the kernel"},
    Described{"all", "", "show what is zero, too"},
    Described{"interval", "SECONDS", "between two looks (1)"},
    Described{"count", "N", "look so often"},
    Described{"above", "N", "generations greater than this"},
    Described{"below", "N", "generations less than this"},
    Described{"full", "", "all that a change set did"},
    Described{"role", "read|write", "what the token may do; required"},
    Described{"name", "NAME", "what the history calls the token"},
    Described{"dry-run", "", "only show what would change"},
    Described{"wait", "", "until it is in force on this host"},
    Described{"yes", "", "ask nothing"},
    Described{"allow-mass-change", "", "what the guard against accidents would refuse"},
    Described{"if-match", "GENERATION", "only if the state is at this generation"},
};

constexpr std::size_t kIndent = 27;

const Described* find_option(std::string_view name) {
  for (const auto list :
       {std::span<const Described>(kCommon), std::span<const Described>(kOfCommands)})
    for (const Described& option : list)
      if (option.name == name) return &option;
  return nullptr;
}

bool is_common(std::string_view name) {
  return std::ranges::any_of(kCommon, [&](const Described& o) { return o.name == name; });
}

po::options_description known() {
  po::options_description options;
  const auto add = [&options](const Described& option) {
    std::string name(option.name);
    if (name == "help") name += ",h";
    if (name == "version") name += ",V";
    if (option.value.empty())
      options.add_options()(name.c_str(), "");
    else
      options.add_options()(name.c_str(), po::value<std::string>(), "");
  };
  std::ranges::for_each(kCommon, add);
  std::ranges::for_each(kOfCommands, add);
  options.add_options()("words", po::value<Strings>());
  return options;
}

// Commands have one or two words; those are taken out of `words`.
const Command* take_command(Strings& words) {
  for (const std::size_t count : {2U, 1U}) {
    if (words.size() < count) continue;
    const std::string name = count == 2 ? words[0] + " " + words[1] : words[0];
    const auto all = commands();
    const auto found = std::ranges::find(all, name, &Command::name);
    if (found == all.end()) continue;
    words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(count));
    return &*found;
  }
  return nullptr;
}

// "bindings" has "list", "add", ...
std::string second_words(std::string_view first) {
  std::string all;
  for (const Command& command : commands()) {
    if (!command.name.starts_with(first) || command.name.size() <= first.size() ||
        command.name[first.size()] != ' ')
      continue;
    all += all.empty() ? "" : ", ";
    all += command.name.substr(first.size() + 1);
  }
  return all;
}

[[noreturn]] void refuse_command(const Strings& words) {
  if (words.empty()) throw UsageError("no command is given");
  const std::string second = second_words(words[0]);
  if (second.empty()) throw UsageError(fmt::format("there is no command {}", quoted(words[0])));
  if (words.size() == 1)
    throw UsageError(fmt::format("{} is followed by one of: {}", words[0], second));
  throw UsageError(fmt::format("there is no {} {}; {} is followed by one of: {}", words[0],
                               quoted(words[1]), words[0], second));
}

void check_words(const Options& options) {
  const Command& command = *options.command;
  if (options.words.size() < command.words_min)
    throw UsageError(fmt::format("{} needs {}", command.name, command.arguments));
  if (options.words.size() <= command.words_max) return;
  throw UsageError(command.words_max == 0
                       ? fmt::format("{} takes no word {}", command.name, quoted(options.words[0]))
                       : fmt::format("{} takes {}, and {} is too much", command.name,
                                     command.arguments, quoted(options.words[command.words_max])));
}

void check_values(const Options& options) {
  for (const auto& [name, value] : options.values) {
    if (!is_common(name) &&
        std::ranges::find(options.command->options, name) == options.command->options.end())
      throw UsageError(fmt::format("{} takes no --{}", options.command->name, name));
    // An empty variable in a script must not pass for "all".
    if (value.empty() && !find_option(name)->value.empty())
      throw UsageError(fmt::format("--{} must not be empty", name));
  }
  for (const std::string& word : options.words)
    if (word.empty()) throw UsageError(fmt::format("{}: a word is empty", options.command->name));
}

Options read(int argc, const char* const* argv) {
  const Strings arguments(argv + std::min(argc, 1), argv + argc);
  const auto style = po::command_line_style::default_style ^ po::command_line_style::allow_guessing;
  po::positional_options_description positional;
  positional.add("words", -1);
  const po::options_description all = known();
  const auto parsed =
      po::command_line_parser(arguments).options(all).positional(positional).style(style).run();
  po::variables_map values;
  po::store(parsed, values);
  Options options;
  for (const auto& [name, value] : values) {
    if (name == "words")
      options.words = value.as<Strings>();
    else
      options.values[name] = find_option(name)->value.empty() ? "" : value.as<std::string>();
  }
  return options;
}

std::string line_of(const Described& option) {
  std::string left =
      fmt::format("  --{}{}{}", option.name, option.value.empty() ? "" : " ", option.value);
  if (option.name == "help") left = "  -h, --help";
  if (option.name == "version") left = "  -V, --version";
  const std::size_t gap = left.size() + 2 > kIndent ? 2 : kIndent - left.size();
  return fmt::format("{}{:{}}{}\n", left, "", gap, option.text);
}

std::string common_lines() {
  std::string text;
  for (const Described& option : kCommon) text += line_of(option);
  return text;
}

}  // namespace

const std::string& Options::text(std::string_view name) const {
  static const std::string kNone;
  const auto found = values.find(name);
  return found == values.end() ? kNone : found->second;
}

std::uint64_t Options::number(std::string_view name, std::uint64_t min, std::uint64_t max,
                              std::uint64_t otherwise) const {
  if (!has(name)) return otherwise;
  const std::string& given = text(name);
  std::uint64_t value = 0;
  const char* const end = given.data() + given.size();
  const auto [stopped, error] = std::from_chars(given.data(), end, value);
  if (error != std::errc() || stopped != end || value < min || value > max)
    throw UsageError(fmt::format("--{} must be a whole number from {} to {}, not {}", name, min,
                                 max, quoted(given)));
  return value;
}

Options parse_options(int argc, const char* const* argv) {
  Options options;
  try {
    options = read(argc, argv);
  } catch (const po::error& error) {
    throw UsageError(printable(error.what()));
  }
  if (options.has("version")) return options;
  const Strings words = options.words;
  options.command = take_command(options.words);
  if (options.has("help") && (options.command != nullptr || words.empty())) return options;
  if (options.command == nullptr) refuse_command(words);
  check_words(options);
  check_values(options);
  return options;
}

std::string usage(const Command* command) {
  if (command != nullptr) {
    std::string text =
        fmt::format("Usage: steerctl {}{}{} [OPTIONS]\n{}\n", command->name,
                    command->arguments.empty() ? "" : " ", command->arguments, command->summary);
    text += command->text;
    text += "\nOptions:\n";
    for (const std::string_view name : command->options) text += line_of(*find_option(name));
    return text + "\nOptions of every command:\n" + common_lines();
  }
  std::string text =
      "Usage: steerctl [OPTIONS] COMMAND\nSee and change which service gets which addresses, by "
      "the API of steerd.\n\nCommands (steerctl COMMAND --help says more):\n";
  for (const Command& one : commands()) text += fmt::format("  {:<24} {}\n", one.name, one.summary);
  text += "\nOptions:\n" + common_lines() + R"(
Where the API is: --api, else STEER_API, else CLOUDFLARE_BASE_URL, else http://127.0.0.1:8642. The token:
--token-file, else STEER_TOKEN, else, for CLOUDFLARE_BASE_URL, CLOUDFLARE_API_TOKEN. A Unix socket needs none.

Examples:
  steerctl bindings add 203.0.113.1/32 cdn --wait
  steerctl explain 203.0.113.1
  steerctl apply state.json --dry-run
  steerctl top

Exit status:
  0  done
  1  refused, failed, or not confirmed
  2  the command line or a variable of the environment is wrong; nothing was asked
  3  the server cannot be reached, or did not finish its reply
)";
  return text;
}

}  // namespace control::ctl
