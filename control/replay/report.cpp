// SPDX-License-Identifier: BSD-3-Clause
#include "control/replay/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <string_view>

namespace control::replay {
namespace {

using dataplane::Outcome;
using dataplane::Verdict;
using dataplane::Volume;

// The outcomes that a replay can have: there is no kernel behind a capture.
constexpr std::array kOutcomes{Outcome::magic_transit, Outcome::cdn, Outcome::spectrum,
                               Outcome::drop};

Volume of(const ReplayResult& result, Verdict verdict) {
  return result.verdicts[static_cast<std::size_t>(verdict)];
}

// In the order of the verdicts, summed over the outcomes that share a reason.
std::vector<std::pair<std::string_view, Volume>> reasons_of(const ReplayResult& result) {
  std::vector<std::pair<std::string_view, Volume>> reasons;
  for (std::size_t v = 0; v < result.verdicts.size(); ++v) {
    if (result.verdicts[v].packets == 0) continue;
    const std::string_view reason = reason_of(static_cast<Verdict>(v));
    const auto it = std::ranges::find(reasons, reason, &decltype(reasons)::value_type::first);
    if (it == reasons.end())
      reasons.emplace_back(reason, result.verdicts[v]);
    else
      it->second += result.verdicts[v];
  }
  return reasons;
}

// Numbers of the busiest bindings, those with most packets first, the lower number among equals. Up
// to `max` that had packets; all that there are if there is no limit.
std::vector<std::size_t> busiest(const ReplayResult& result, std::optional<std::size_t> max) {
  std::vector<std::size_t> numbers;
  for (std::size_t number = 1; number < result.bindings.size(); ++number)
    if (!max || result.bindings[number].packets != 0) numbers.push_back(number);
  const auto busier = [&](std::size_t a, std::size_t b) {
    const std::uint64_t packets_a = result.bindings[a].packets;
    const std::uint64_t packets_b = result.bindings[b].packets;
    return packets_a != packets_b ? packets_a > packets_b : a < b;
  };
  const std::size_t kept = std::min(max.value_or(numbers.size()), numbers.size());
  const auto end = numbers.begin() + static_cast<std::ptrdiff_t>(kept);
  std::partial_sort(numbers.begin(), end, numbers.end(), busier);
  numbers.resize(kept);
  return numbers;
}

double per_second(std::uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

// 1234567 -> 1,234,567
std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

// 12345678 -> 12.3 M
std::string scaled(double number) {
  constexpr std::array kUnits{"", " k", " M", " G", " T"};
  std::size_t unit = 0;
  for (; number >= 1000 && unit + 1 < kUnits.size(); ++unit) number /= 1000;
  return fmt::format("{:.1f}{}", number, kUnits[unit]);
}

class Table {
 public:
  explicit Table(bool colour) : colour_(colour) {}

  void heading(const std::string& line) {
    text_ += colour_ ? "\033[1m" + line + "\033[0m\n" : line + "\n";
  }
  void line(const std::string& line) { text_ += line + "\n"; }
  [[nodiscard]] std::string text() && { return std::move(text_); }

 private:
  bool colour_;
  std::string text_;
};

void add_outcomes(Table& table, const ReplayResult& result) {
  table.heading(fmt::format("{:<28}{:>14}{:>18}{:>9}{:>12}", "outcome", "packets", "bytes", "share",
                            "packets/s"));
  for (const Outcome outcome : kOutcomes) {
    const Volume volume = result.of(outcome);
    const double share = result.received.packets == 0
                             ? 0
                             : 100.0 * static_cast<double>(volume.packets) /
                                   static_cast<double>(result.received.packets);
    table.line(fmt::format("{:<28}{:>14}{:>18}{:>8.1f}%{:>12}", name_of(outcome),
                           grouped(volume.packets), grouped(volume.bytes), share,
                           scaled(per_second(volume.packets, result.seconds))));
  }
}

void add_verdicts(Table& table, const ReplayResult& result) {
  table.line("");
  table.heading(fmt::format("{:<28}{:>14}{:>18}", "why", "packets", "bytes"));
  for (std::size_t v = 0; v < result.verdicts.size(); ++v) {
    if (result.verdicts[v].packets == 0) continue;
    const auto verdict = static_cast<Verdict>(v);
    std::string why = fmt::format("{} {}", name_of(outcome_of(verdict)), reason_of(verdict));
    if (verdict == Verdict::magic_transit_egress_inside) why += " inside";
    if (verdict == Verdict::magic_transit_egress_outside) why += " outside";
    table.line(fmt::format("{:<28}{:>14}{:>18}", why, grouped(result.verdicts[v].packets),
                           grouped(result.verdicts[v].bytes)));
  }
}

void add_bindings(Table& table, const ReplayResult& result, const std::vector<Binding>& bindings,
                  const ReportOptions& options) {
  const std::vector<std::size_t> numbers = busiest(result, options.bindings_max);
  if (numbers.empty()) return;
  table.line("");
  table.heading(fmt::format("{:<44}{:<15}{:>14}{:>18}", "binding", "service", "packets", "bytes"));
  for (const std::size_t number : numbers)
    table.line(fmt::format("{:<44}{:<15}{:>14}{:>18}", to_string(bindings[number].cidr),
                           name_of(bindings[number].service),
                           grouped(result.bindings[number].packets),
                           grouped(result.bindings[number].bytes)));
}

nlohmann::ordered_json json_of(const Volume& volume) {
  return {{"packets", volume.packets}, {"bytes", volume.bytes}};
}

}  // namespace

std::string table_of(const ReplayResult& result, const std::vector<Binding>& bindings,
                     const ReportOptions& options) {
  Table table(options.colour);
  table.line(fmt::format("{} packets, {} bytes in {:.3f} s: {} packets/s, generation {}{}",
                         grouped(result.received.packets), grouped(result.received.bytes),
                         result.seconds,
                         scaled(per_second(result.received.packets, result.seconds)),
                         result.generation, result.was_interrupted ? " (interrupted)" : ""));
  table.line("");
  add_outcomes(table, result);
  add_verdicts(table, result);
  add_bindings(table, result, bindings, options);
  return std::move(table).text();
}

std::string json_of(const ReplayResult& result, const std::vector<Binding>& bindings,
                    const ReportOptions& options) {
  nlohmann::ordered_json report{
      {"packets", result.received.packets},
      {"bytes", result.received.bytes},
      {"seconds", result.seconds},
      {"packets_per_second", per_second(result.received.packets, result.seconds)},
      {"generation", result.generation}};
  for (const Outcome outcome : kOutcomes)
    report["outcomes"][std::string(name_of(outcome))] = json_of(result.of(outcome));
  report["reasons"] = nlohmann::ordered_json::object();
  for (const auto& [reason, volume] : reasons_of(result))
    report["reasons"][std::string(reason)] = json_of(volume);
  report["egress"] = {
      {"inside_prefixes", json_of(of(result, Verdict::magic_transit_egress_inside))},
      {"outside_prefixes", json_of([&] {
         Volume outside = of(result, Verdict::magic_transit_egress_outside);
         return outside += of(result, Verdict::drop_egress_unknown);
       }())}};
  report["bindings"] = nlohmann::ordered_json::array();
  for (const std::size_t number : busiest(result, options.bindings_max))
    report["bindings"].push_back({{"cidr", to_string(bindings[number].cidr)},
                                  {"service", name_of(bindings[number].service)},
                                  {"packets", result.bindings[number].packets},
                                  {"bytes", result.bindings[number].bytes}});
  report["interrupted"] = result.was_interrupted;
  report["errors"] = result.errors;
  // Names of captures in the errors may be of any bytes.
  constexpr auto kReplace = nlohmann::ordered_json::error_handler_t::replace;
  return report.dump(2, ' ', false, kReplace) + "\n";
}

}  // namespace control::replay
