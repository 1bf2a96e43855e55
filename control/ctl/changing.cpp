// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <string>
#include <utility>

#include "control/ctl/commands.hpp"

namespace control::ctl {
namespace {

// More changes than this are made only after a question.
constexpr std::uint64_t kFewChanges = 20;

struct Change {
  std::string method;
  std::string path;
  std::string body;
  bool is_shown_first = false;  // and then asked about, where it is large
  std::string account = {};     // empty: all that the token may see
};

std::uint64_t changes_in(const Json& result) {
  std::uint64_t sum = 0;
  for (const auto& [name, count] : result.at("counts").items()) sum += count.get<std::uint64_t>();
  return sum;
}

// As the API says it: another sign for what comes, goes and stays.
std::string line_of(const Session& session, const Json& change) {
  const std::string op = change.at("op").get<std::string>();
  const std::string what =
      change.at("kind") == "prefix"
          ? "prefix " + cell(change, "cidr")
          : fmt::format("{} in {}", cell(change, "cidr"), cell(change, "prefix"));
  if (op == "change")
    return session.painted(
        fmt::format("~ {}: {} -> {}", what, cell(change, "before"), cell(change, "after")),
        Colour::yellow);
  if (op == "create")
    return session.painted(fmt::format("+ {}: {}", what, cell(change, "after")), Colour::green);
  if (op == "delete")
    return session.painted(fmt::format("- {}: {}", what, cell(change, "before")), Colour::red);
  if (op == "add_prefix") return session.painted("+ " + what, Colour::green);
  if (op == "delete_prefix") return session.painted("- " + what, Colour::red);
  return session.painted("~ " + what, Colour::yellow);
}

std::string summary_of(const Json& result) {
  const Json& counts = result.at("counts");
  std::string text;
  for (const auto& [name, what, how] : {std::tuple{"prefixes_added", "prefix", "added"},
                                        {"prefixes_deleted", "prefix", "deleted"},
                                        {"bindings_created", "binding", "created"},
                                        {"bindings_deleted", "binding", "deleted"},
                                        {"bindings_changed", "binding", "moved"}})
    if (const std::uint64_t count = number(counts, name); count != 0)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", counted(count, what), how);
  if (text.empty()) return "nothing changes\n";
  const auto moved = [&result](const char* name) {
    const std::string decimal = result.at(name).get<std::string>();
    return decimal == "0" ? std::string() : harmless(decimal);
  };
  const std::string moved4 = moved("addresses_moved4");
  const std::string moved6 = moved("addresses_moved6");
  if (!moved4.empty()) text += fmt::format("; IPv4 addresses with another service: {}", moved4);
  if (!moved6.empty()) text += fmt::format("; IPv6 addresses with another service: {}", moved6);
  return text + "\n";
}

std::string difference_of(const Session& session, const Json& result) {
  std::string text;
  for (const Json& change : result.at("changes")) text += line_of(session, change) + "\n";
  if (const std::uint64_t omitted = number(result, "changes_omitted"); omitted != 0)
    text += fmt::format("and {} more\n", grouped(omitted));
  return text + summary_of(result);
}

Request request_of(const Options& options, const Change& change, bool is_dry,
                   const std::string& generation) {
  Request request{
      .method = change.method,
      .target = change.path + query_of({{"account", change.account},
                                        {"dry_run", is_dry ? "true" : ""},
                                        {"wait", !is_dry && options.has("wait") ? "active" : ""}}),
      .body = change.body};
  if (options.has("allow-mass-change")) request.fields.emplace_back("X-Steer-Allow", "mass-change");
  if (!generation.empty()) request.fields.emplace_back("If-Match", "\"" + generation + "\"");
  return request;
}

// The generation that --if-match names; empty: none.
std::string wanted_generation(const Options& options) {
  if (!options.has("if-match")) return {};
  return std::to_string(options.number("if-match", 0, ~std::uint64_t{0}, 0));
}

void show_done(Session& session, const Json& result, bool is_difference_known) {
  if (session.print_as_json(result)) return;
  if (!is_difference_known) session.print(difference_of(session, result));
  session.print(
      fmt::format("generation {}, {}\n", result.at("generation").dump(), cell(result, "state")));
}

// Where the answer is no, or nobody can be asked: Failure.
void ask_about(Session& session, std::uint64_t changes) {
  if (session.options().has("yes")) return;
  Console& console = session.console();
  if (!console.can_ask)
    throw Failure(kRefused,
                  fmt::format("{} are many, and there is nobody to ask: standard input is no "
                              "terminal\n  if all of it is meant: --yes",
                              counted(changes, "change")));
  if (!console.confirm(fmt::format(
          "Make {}? [y/N] ", changes == 1 ? "this change" : "these " + counted(changes, "change"))))
    throw Failure(kRefused, "nothing was changed");
}

// What the guard would say; empty: nothing.
std::string guard_of(const Json& result) {
  const Json& guard = result.at("guard");
  return guard.at("refuses").get<bool>() ? cell(guard, "reason") : "";
}

// Shows what would change; true: it is to be made, and nothing else than that.
bool is_confirmed(Session& session, const Json& planned) {
  const Options& options = session.options();
  const std::uint64_t changes = changes_in(planned);
  const bool ends_here = changes == 0 || options.has("dry-run");
  const std::string guard = guard_of(planned);
  if (ends_here && session.print_as_json(planned)) return false;
  if (!options.has("json")) session.print(difference_of(session, planned));
  if (options.has("dry-run")) {
    if (!guard.empty()) session.print("the guard would refuse this: " + guard + "\n");
    session.print("a dry run: nothing was changed\n");
  }
  if (ends_here) return false;
  if (!guard.empty() && !options.has("allow-mass-change"))
    throw Failure(kRefused,
                  fmt::format("the guard against accidents refuses this: {}\n  if all of it is "
                              "meant: --allow-mass-change",
                              guard));
  if (changes > kFewChanges || !guard.empty()) {
    if (options.has("json") && session.console().can_ask && !options.has("yes"))
      session.console().error(difference_of(session, planned));
    ask_about(session, changes);
  }
  return true;
}

void make(Session& session, const Change& change) {
  const Options& options = session.options();
  std::string generation = wanted_generation(options);
  if (change.is_shown_first || options.has("dry-run")) {
    const Json planned = session.ask(request_of(options, change, true, generation));
    if (!is_confirmed(session, planned)) return;
    generation = planned.at("generation").dump();
  }
  const Json result = session.ask(request_of(options, change, false, generation));
  show_done(session, result, change.is_shown_first);
}

Change change_set(Json changes, bool is_shown_first = false) {
  return {.method = "POST",
          .path = "/steer/v1/changes",
          .body = Json{{"changes", std::move(changes)}}.dump(),
          .is_shown_first = is_shown_first};
}

std::string text_of(int error) {
  return std::strerror(error);  // NOLINT(concurrency-mt-unsafe): there is one thread
}

// "-": standard input. Throws Failure.
std::string contents_of(const std::string& path) {
  const bool is_input = path == "-";
  std::FILE* const file = is_input ? stdin : std::fopen(path.c_str(), "re");
  if (file == nullptr) throw Failure(kRefused, fmt::format("{}: {}", path, text_of(errno)));
  std::string text;
  char piece[65536];
  for (std::size_t got = 0; (got = std::fread(piece, 1, sizeof piece, file)) > 0;)
    text.append(piece, got);
  const int error = std::ferror(file) != 0 ? errno : 0;
  if (!is_input) std::fclose(file);
  if (error != 0) throw Failure(kRefused, fmt::format("{}: {}", path, text_of(error)));
  if (text.empty()) throw Failure(kRefused, fmt::format("{}: is empty", path));
  return text;
}

}  // namespace

void add_prefix(Session& session) {
  const Options& options = session.options();
  Json item = {{"op", "add_prefix"}, {"cidr", options.words[0]}};
  if (!session.account().empty()) item["account"] = session.account();
  if (options.has("asn")) item["asn"] = options.number("asn", 0, 4'294'967'295U, 0);
  if (options.has("description")) item["description"] = options.text("description");
  if (options.has("service")) item["service"] = options.text("service");
  make(session, change_set(Json::array({item})));
}

void delete_prefix(Session& session) {
  const Options& options = session.options();
  Json item = {{"op", "delete_prefix"}, {"cidr", options.words[0]}};
  if (options.has("cascade")) item["cascade"] = true;
  make(session, change_set(Json::array({item}), options.has("cascade")));
}

// Creates them, or moves them to another service.
void change_bindings(Session& session) {
  const Options& options = session.options();
  const bool is_move = options.command->action == Action::move_bindings;
  Json items = Json::array();
  for (std::size_t i = 0; i + 1 < options.words.size(); ++i)
    items.push_back({{"op", is_move ? "change" : "create"},
                     {"cidr", options.words[i]},
                     {"service", options.words.back()}});
  make(session, change_set(std::move(items)));
}

void delete_bindings(Session& session) {
  const Options& options = session.options();
  Json filter = {{"op", "delete_where"}};
  for (const char* const name : {"prefix", "service", "within"})
    if (options.has(name)) filter[name] = options.text(name);
  const bool has_filter = filter.size() > 1;
  // It narrows; by itself it is no filter here.
  if (has_filter && !session.account().empty()) filter["account"] = session.account();
  if (has_filter == !options.words.empty())
    throw UsageError(
        has_filter
            ? "bindings delete takes CIDRs, or --prefix, --service and --within; not both"
            : "bindings delete needs CIDRs, or at least one of --prefix, --service and --within");
  if (has_filter) return make(session, change_set(Json::array({filter}), true));
  Json items = Json::array();
  for (const std::string& cidr : options.words) items.push_back({{"op", "delete"}, {"cidr", cidr}});
  make(session, change_set(std::move(items), options.words.size() > kFewChanges));
}

void apply(Session& session) {
  make(session, {.method = "PUT",
                 .path = "/steer/v1/import",
                 .body = contents_of(session.options().words[0]),
                 .is_shown_first = true,
                 .account = session.account()});
}

void roll_back(Session& session) {
  const std::string& word = session.options().words[0];
  std::uint64_t generation = 0;
  const char* const end = word.data() + word.size();
  const auto [stopped, error] = std::from_chars(word.data(), end, generation);
  if (error != std::errc() || stopped != end)
    throw UsageError(fmt::format("rollback takes a generation, as history shows them, not \"{}\"",
                                 harmless(word.substr(0, 64))));
  make(session, {.method = "POST",
                 .path = "/steer/v1/rollback",
                 .body = Json{{"generation", generation}}.dump(),
                 .is_shown_first = true});
}

}  // namespace control::ctl
