// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "control/ctl/commands.hpp"

namespace control::ctl {
namespace {

using Align = Table::Align;

// Of a history entry that is not shown in full.
constexpr std::size_t kLinesMax = 5;

// A table of what all objects of an array have: text to the left, numbers to the right.
Table table_of(const Json& array) {
  std::vector<Table::Column> columns;
  std::vector<std::string> keys;
  for (const auto& [key, value] : array.front().items()) {
    if (value.is_structured()) continue;
    keys.push_back(key);
    columns.push_back({harmless(key), value.is_number() ? Align::right : Align::left});
  }
  Table table(std::move(columns));
  for (const Json& object : array) {
    std::vector<std::string> cells;
    for (const std::string& key : keys) cells.push_back(amount(object, key));
    table.add(std::move(cells));
  }
  return table;
}

std::string first_lines(const std::string& what, bool is_full) {
  std::string text;
  std::size_t lines = 0;
  for (std::size_t at = 0; at < what.size();) {
    const std::size_t end = std::min(what.find('\n', at), what.size());
    if (is_full || lines < kLinesMax)
      fmt::format_to(std::back_inserter(text), "    {}\n",
                     harmless(std::string_view(what).substr(at, end - at)));
    ++lines;
    at = end + 1;
  }
  if (!is_full && lines > kLinesMax)
    fmt::format_to(std::back_inserter(text), "    and {} more (--full)\n",
                   counted(lines - kLinesMax, "line"));
  return text;
}

}  // namespace

void list_services(Session& session) {
  const Json result =
      session.get(fmt::format("/accounts/{}/addressing/services", session.account_or_any()));
  if (session.print_as_json(result)) return;
  Table table({{"NAME"}, {"ID"}});
  for (const Json& service : result) table.add({cell(service, "name"), cell(service, "id")});
  session.print(table);
}

void list_prefixes(Session& session) {
  const Json result =
      session.get("/steer/v1/prefixes" + query_of({{"account", session.account()}}));
  if (session.print_as_json(result)) return;
  Table table({{"PREFIX"},
               {"DEFAULT"},
               {"BINDINGS", Align::right},
               {"ASN", Align::right},
               {"ACCOUNT"},
               {"CHANGED (UTC)"},
               {"DESCRIPTION"}});
  for (const Json& prefix : result) {
    const std::string asn = number(prefix, "asn") == 0 ? "-" : cell(prefix, "asn");
    const std::string service =
        prefix.at("service").is_null() ? "(pending)" : cell(prefix, "service");
    table.add({cell(prefix, "cidr"), service, amount(prefix, "bindings"), asn,
               cell(prefix, "account"), moment(prefix, "modified_at"),
               cell(prefix, "description")});
  }
  session.print(table);
}

void explain(Session& session) {
  const Options& options = session.options();
  const Json result =
      session.get("/steer/v1/explain" + query_of({{"address", options.words[0]},
                                                  {"direction", options.text("direction")},
                                                  {"protocol", options.text("protocol")},
                                                  {"port", options.text("port")},
                                                  {"source", options.text("source")},
                                                  {"source_port", options.text("source-port")},
                                                  {"fragment", flag(options, "fragment")},
                                                  {"kernel_path", options.text("kernel-path")}}));
  if (session.print_as_json(result)) return;
  std::string text = fmt::format(
      "{}\n", session.painted(fmt::format("{} ({}): {}", cell(result, "address"),
                                          cell(result, "direction"), cell(result, "outcome")),
                              Colour::bold));
  const auto line = [&text](std::string_view name, const std::string& value) {
    fmt::format_to(std::back_inserter(text), "  {:<10}  {}\n", name, value);
  };
  line("reason", cell(result, "reason"));
  if (const Json& binding = result.at("binding"); !binding.is_null())
    line("binding", fmt::format("{} {}, {}", cell(binding, "cidr"), cell(binding, "service"),
                                cell(binding, "state")));
  if (const Json& prefix = result.at("prefix"); !prefix.is_null())
    line("prefix", cell(prefix, "cidr"));
  line("generation", cell(result, "generation"));
  session.print(text);
}

void show_stats(Session& session) {
  const Json result = session.get("/steer/v1/counters");
  if (session.print_as_json(result)) return;
  Table outcomes({{"OUTCOME"}, {"PACKETS", Align::right}, {"BYTES", Align::right}});
  for (const auto& [name, volume] : result.at("outcomes").items())
    if (session.options().has("all") || number(volume, "packets") != 0)
      outcomes.add({harmless(name), amount(volume, "packets"), amount(volume, "bytes")});
  session.print(fmt::format("generation {}, active {}, at {} UTC\n\n", cell(result, "generation"),
                            cell(result, "active"), moment(result, "at")));
  session.print(outcomes);
  for (const char* const part : {"services", "workers", "ports"}) {
    const Json& array = result.at(part);
    if (array.empty()) continue;
    session.print(fmt::format("\n{}\n", session.painted(part, Colour::bold)));
    session.print(table_of(array));
  }
  for (const Json& port : result.at("ports"))
    if (port.contains("xdp"))
      session.print(fmt::format("\n{}\n", session.painted("XDP program of " + cell(port, "name"),
                                                          Colour::bold)) +
                    table_of(Json::array({port.at("xdp")})).text(session.console().is_coloured));
}

namespace {

// The latest `limit`; a reply has fewer where their texts are long.
Json history_of(Session& session, std::uint64_t limit) {
  const Options& options = session.options();
  const std::uint64_t above = options.number("above", 0, ~std::uint64_t{0}, 0);
  std::uint64_t below = options.number("below", 0, ~std::uint64_t{0}, ~std::uint64_t{0});
  bool is_below_said = options.has("below");
  Json all = Json::array();
  for (;;) {
    const Json page =
        session.get("/steer/v1/history" +
                    query_of({{"limit", std::to_string(limit - all.size())},
                              {"above", options.has("above") ? std::to_string(above) : ""},
                              {"below", is_below_said ? std::to_string(below) : ""}}));
    all.insert(all.end(), page.begin(), page.end());
    if (page.empty() || all.size() >= limit) return all;
    const std::uint64_t last = number(page.back(), "generation");
    // A server that goes round in circles is not followed.
    if (last >= below || last <= above + 1) return all;
    below = last;
    is_below_said = true;
  }
}

}  // namespace

void show_history(Session& session) {
  const Options& options = session.options();
  const Json result = history_of(session, options.number("limit", 1, 1000, 20));
  if (session.print_as_json(result)) return;
  for (const Json& change : result) {
    session.print(fmt::format("{}  {} UTC  {}\n",
                              session.painted(cell(change, "generation"), Colour::bold),
                              moment(change, "at"), cell(change, "who")));
    session.print(
        first_lines(change.at("what").get_ref<const std::string&>(), options.has("full")));
  }
}

void show_status(Session& session) {
  const Json result = session.get("/steer/v1/status");
  if (session.print_as_json(result)) return;
  const bool is_behind = number(result, "active") < number(result, "generation");
  session.print(fmt::format(
      "generation {}, {}\n{}, {}\nMagic Transit's output is {}\n", cell(result, "generation"),
      is_behind ? session.painted(fmt::format("active {}", cell(result, "active")), Colour::yellow)
                : "active",
      counted(number(result, "prefixes"), "prefix"), counted(number(result, "bindings"), "binding"),
      result.at("magic_transit_up").get<bool>() ? "up" : session.painted("down", Colour::red)));
}

}  // namespace control::ctl
