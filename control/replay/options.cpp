// SPDX-License-Identifier: BSD-3-Clause
#include "control/replay/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <charconv>
#include <initializer_list>
#include <limits>
#include <sstream>
#include <string_view>
#include <utility>

#include "control/replay/replay.hpp"

namespace control::replay {
namespace {

namespace po = boost::program_options;
using dataplane::Direction;
using dataplane::Settings;

using Strings = std::vector<std::string>;

po::options_description described() {
  po::options_description options("Options");
  const auto text = [](const char* name) { return po::value<std::string>()->value_name(name); };
  const auto captures = [] {
    return po::value<Strings>()->value_name("CAPTURE...")->multitoken()->composing();
  };
  options.add_options()                                                                 //
      ("bindings", text("FILE"), "bindings to steer by (JSON); required")               //
      ("ingress", captures(), "captures of traffic from clients; - is standard input")  //
      ("egress", captures(), "captures of traffic to origins")                          //
      ("output-dir", text("DIR"),
       "write magic_transit.pcap, cdn.pcap, spectrum.pcap and dropped.pcap there")      //
      ("verdicts", text("FILE"), "write a line for each packet there (tab-separated)")  //
      ("json", "print JSON instead of a table")                                         //
      ("all-bindings", "report all bindings, idle ones too, not the 20 busiest")        //
      ("repeat", text("N"),
       "replay N times from memory, for timing (default 1); files are written once")  //
      ("workers", text("N"), "worker threads (default 1)")                            //
      ("cdn-accept", text("any|http"), "what the CDN takes (default any)")            //
      ("spectrum-accept", text("any|tcp-udp"), "what Spectrum takes (default any)")   //
      ("unmatched", text("drop|magic_transit"),
       "ingress packets that no binding covers (default drop)")  //
      ("egress-unknown", text("magic_transit|drop"),
       "egress packets to outside of all prefixes (default magic_transit)")  //
      ("verify-checksum", text("on|off"),
       "drop packets with a wrong IPv4 header checksum (default off)")  //
      ("help,h", "print this text")                                     //
      ("version,V", "print the version");
  return options;
}

struct Failure {
  std::string message;
};

// The value that `text` names among `choices`. Throws Failure.
template <class T>
T choice(std::string_view option, const std::string& text,
         std::initializer_list<std::pair<std::string_view, T>> choices) {
  std::string allowed;
  for (const auto& [name, value] : choices) {
    if (text == name) return value;
    allowed += fmt::format("{}{}", allowed.empty() ? "" : " or ", name);
  }
  throw Failure{fmt::format("--{} must be {}, not \"{}\"", option, allowed, text)};
}

// Throws Failure.
unsigned number(std::string_view option, const std::string& text, unsigned max) {
  unsigned value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stopped != end || value < 1 || value > max)
    throw Failure{fmt::format("--{} must be a number from 1 to {}, not \"{}\"", option, max, text)};
  return value;
}

// Throws Failure: an empty variable in a script must not pass for "none".
std::string path(std::string_view option, const std::string& text) {
  if (text.empty()) throw Failure{fmt::format("--{} must not be empty", option)};
  if (text == "-")
    throw Failure{fmt::format("--{}: - is for captures only; a file of that name is ./-", option)};
  return text;
}

// Throws Failure.
void set(Options& options, const std::string& name, const Strings& values) {
  const std::string& value = values.empty() ? std::string() : values.front();
  Settings& settings = options.settings;
  using Unknown = Settings::Unknown;
  if (name == "ingress" || name == "egress") {
    const Direction direction = name == "ingress" ? Direction::ingress : Direction::egress;
    for (const std::string& path : values) options.captures.push_back({path, direction});
  } else if (name == "help") {
    options.help = true;
  } else if (name == "version") {
    options.version = true;
  } else if (name == "json") {
    options.json = true;
  } else if (name == "all-bindings") {
    options.all_bindings = true;
  } else if (name == "bindings") {
    options.bindings = path(name, value);
  } else if (name == "output-dir") {
    options.output_dir = path(name, value);
  } else if (name == "verdicts") {
    options.verdicts = path(name, value);
  } else if (name == "repeat") {
    options.repeat = number(name, value, std::numeric_limits<int>::max());
  } else if (name == "workers") {
    options.workers = number(name, value, kWorkersMax);
  } else if (name == "cdn-accept") {
    settings.cdn_accept = choice<Settings::CdnAccept>(
        name, value, {{"any", Settings::CdnAccept::any}, {"http", Settings::CdnAccept::http}});
  } else if (name == "spectrum-accept") {
    settings.spectrum_accept = choice<Settings::SpectrumAccept>(
        name, value,
        {{"any", Settings::SpectrumAccept::any}, {"tcp-udp", Settings::SpectrumAccept::tcp_udp}});
  } else if (name == "unmatched") {
    settings.unmatched = choice<Unknown>(
        name, value, {{"drop", Unknown::drop}, {"magic_transit", Unknown::magic_transit}});
  } else if (name == "egress-unknown") {
    settings.egress_unknown = choice<Unknown>(
        name, value, {{"magic_transit", Unknown::magic_transit}, {"drop", Unknown::drop}});
  } else if (name == "verify-checksum") {
    settings.verify_checksum = choice<bool>(name, value, {{"on", true}, {"off", false}});
  }
}

// Throws Failure.
void check_whole(const Options& options) {
  if (options.help || options.version) return;
  if (options.bindings.empty()) throw Failure{"--bindings FILE is missing"};
  if (options.captures.empty())
    throw Failure{"no capture to replay: give at least one with --ingress or --egress"};
  const auto is_standard_input = [](const Options::Input& input) { return input.path == "-"; };
  if (std::ranges::count_if(options.captures, is_standard_input) > 1)
    throw Failure{"standard input (-) can be replayed once only"};
}

}  // namespace

std::expected<Options, std::string> parse_options(int argc, const char* const* argv) {
  const Strings arguments(argv + std::min(argc, 1), argv + argc);
  const auto end = std::ranges::find(arguments, "--");
  Options options;
  options.settings.unmatched = Settings::Unknown::drop;  // there is no kernel behind a capture
  if (end != arguments.end()) options.eal.assign(end + 1, arguments.end());
  try {
    const po::options_description known = described();
    const auto style =
        po::command_line_style::default_style ^ po::command_line_style::allow_guessing;
    const po::parsed_options parsed = po::command_line_parser(Strings(arguments.begin(), end))
                                          .options(known)
                                          .style(style)
                                          .positional(po::positional_options_description())
                                          .run();
    po::variables_map once;  // refuses an option that is given twice, but for the captures
    po::store(parsed, once);
    for (const po::option& option : parsed.options) set(options, option.string_key, option.value);
    check_whole(options);
  } catch (const po::too_many_positional_options_error&) {
    return std::unexpected("a word stands alone: captures are given with --ingress or --egress");
  } catch (const po::error& error) {
    return std::unexpected(std::string(error.what()));
  } catch (const Failure& failure) {
    return std::unexpected(failure.message);
  }
  return options;
}

std::string usage() {
  std::ostringstream text;
  text << "Usage: steer-replay --bindings FILE --ingress CAPTURE... [--egress CAPTURE...] "
          "[OPTIONS]\n"
          "                    [-- EAL-ARGUMENTS]\n"
          "Steer captured packets through the data plane and report what became of each.\n\n"
       << described() << R"(
Captures are pcap or pcapng files of Ethernet frames. No root and no hugepages are needed.

Examples:
  steer-replay --bindings configs/bindings.example.json --ingress clients.pcap
  steer-replay --bindings bindings.json --ingress clients.pcap --egress origins.pcap \
               --output-dir out --verdicts out/verdicts.tsv
  tcpdump -i eth0 -w - -c 100000 | steer-replay --bindings bindings.json --ingress - --json

Exit status:
  0    every packet of every capture was steered
  1    a capture could not be read, or not to its end; a file could not be written
  2    the command line (EAL's included) or the bindings file is wrong; nothing was steered
  130  interrupted; what was counted until then was reported. A second Ctrl-C ends at once
)";
  return text.str();
}

}  // namespace control::replay
