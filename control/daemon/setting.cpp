// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/setting.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>

#include "control/quote.hpp"

namespace control::daemon {
namespace {

namespace po = boost::program_options;

// More than any configuration in earnest has.
constexpr std::size_t kLinesMax = 10'000;
constexpr std::size_t kLineBytesMax = 4096;

po::options_description description_of(const std::vector<KeyName>& known, bool of_file) {
  po::options_description options("Options", 100, 60);
  for (const KeyName& key : known) {
    if (of_file && !key.in_file) continue;
    if (key.value_name == nullptr)
      options.add_options()(key.key, key.help);
    else
      options.add_options()(
          key.key, po::value<std::vector<std::string>>()->value_name(key.value_name)->composing(),
          key.help);
  }
  return options;
}

std::string first_of(const std::vector<std::string>& values) {
  return values.empty() ? std::string() : values.front();
}

// One line of a file; Program_options reads it as a file of its own, so that its number is known.
void read_line(const std::string& line, const std::string& origin,
               const po::options_description& options, std::vector<Setting>& settings,
               Errors& errors) {
  std::istringstream in(line);
  try {
    for (const po::option& option : po::parse_config_file(in, options, true).options) {
      if (option.unregistered)
        errors.push_back(
            fmt::format("{}: {} is not a setting", origin, control::quoted(option.string_key)));
      else
        settings.push_back({option.string_key, first_of(option.value), origin, true});
    }
  } catch (const po::error&) {
    errors.push_back(
        fmt::format("{}: {} is not of the form: key = value", origin, control::quoted(line)));
  }
}

}  // namespace

std::expected<std::vector<Setting>, Errors> settings_of_command_line(
    int argc, const char* const* argv, const std::vector<KeyName>& known) {
  std::vector<Setting> settings;
  const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  try {
    const po::options_description options = description_of(known, false);
    const auto style =
        po::command_line_style::default_style ^ po::command_line_style::allow_guessing;
    const po::parsed_options parsed = po::command_line_parser(arguments)
                                          .options(options)
                                          .style(style)
                                          .positional(po::positional_options_description())
                                          .run();
    for (const po::option& option : parsed.options)
      settings.push_back(
          {option.string_key, first_of(option.value), "--" + option.string_key, false});
  } catch (const po::too_many_positional_options_error&) {
    return std::unexpected(Errors{"a word stands alone; each setting is --key value"});
  } catch (const po::error& error) {
    return std::unexpected(Errors{error.what()});
  }
  return settings;
}

std::expected<std::vector<Setting>, Errors> settings_of_file(const std::filesystem::path& path,
                                                             const std::vector<KeyName>& known) {
  std::error_code unknown;
  if (std::filesystem::is_directory(path, unknown))
    return std::unexpected(Errors{path.string() + ": is a directory"});
  errno = 0;
  std::ifstream in(path);
  if (!in)
    return std::unexpected(Errors{fmt::format("{}: cannot be opened: {}", path.string(),
                                              std::generic_category().message(errno))});
  std::vector<Setting> settings;
  Errors errors;
  const po::options_description options = description_of(known, true);
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    const std::string origin = fmt::format("{}:{}", path.string(), number);
    if (number > kLinesMax) return std::unexpected(Errors{origin + ": too many lines"});
    if (line.size() > kLineBytesMax) {
      errors.push_back(fmt::format("{}: longer than {} bytes", origin, kLineBytesMax));
      continue;
    }
    if (const auto begin = line.find_first_not_of(" \t"); begin != line.npos && line[begin] == '[')
      errors.push_back(fmt::format("{}: sections are not used here", origin));
    else
      read_line(line, origin, options, settings, errors);
  }
  if (in.bad()) errors.push_back(path.string() + ": cannot be read to its end");
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return settings;
}

std::string described(const std::vector<KeyName>& known) {
  std::ostringstream text;
  text << description_of(known, false);
  return text.str();
}

std::vector<std::string> words_of(const std::string& text) {
  return po::split_unix(text, " \t", "\"'", "\\");
}

}  // namespace control::daemon
