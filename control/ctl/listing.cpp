// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "control/ctl/commands.hpp"

namespace control::ctl {
namespace {

using Align = Table::Align;

constexpr std::uint64_t kPageMax = 10'000;  // the API's

std::string page_target(const Session& session, std::uint64_t limit, const std::string& after,
                        std::string_view order) {
  const Options& options = session.options();
  return "/steer/v1/bindings" + query_of({{"account", session.account()},
                                          {"prefix", options.text("prefix")},
                                          {"service", options.text("service")},
                                          {"within", options.text("within")},
                                          {"address", options.text("address")},
                                          {"state", options.text("state")},
                                          {"limit", std::to_string(limit)},
                                          {"after", after},
                                          {"order", order}});
}

// Is shown page after page, as one listing.
class Listing {
 public:
  explicit Listing(Session& session) : session_(session) {}

  void show(const Json& page) {
    const Json& bindings = page.at("bindings");
    last_generation_ = number(page, "generation");
    if (is_first_) first_generation_ = last_generation_;
    if (session_.options().has("json"))
      show_as_json(bindings);
    else if (is_first_ || !bindings.empty())
      session_.print(table_of(bindings));
    is_first_ = false;
  }

  // next: where the listing could go on; null: that was all.
  void end(const Json& next) {
    if (session_.options().has("json"))
      session_.print(fmt::format("],\"next\":{}}}\n", next.dump()));
    if (first_generation_ != last_generation_)
      session_.console().error(fmt::format(
          "steerctl: bindings were changed while they were listed (generation {} to {})\n",
          first_generation_, last_generation_));
  }

 private:
  void show_as_json(const Json& bindings) {
    std::string text;
    if (is_first_) text = fmt::format("{{\"generation\":{},\"bindings\":[", first_generation_);
    for (const Json& binding : bindings) {
      text += has_rows_ ? ",\n" : "\n";
      text += binding.dump();
      has_rows_ = true;
    }
    session_.print(text);
  }

  static Table table_of(const Json& bindings) {
    Table table({{"CIDR"},
                 {"SERVICE"},
                 {"STATE"},
                 {"PREFIX"},
                 {"PACKETS", Align::right},
                 {"BYTES", Align::right},
                 {"LAST SEEN (UTC)"}});
    for (const Json& binding : bindings)
      table.add({cell(binding, "cidr"), cell(binding, "service"), cell(binding, "state"),
                 cell(binding, "prefix"), amount(binding, "packets"), amount(binding, "bytes"),
                 moment(binding, "last_seen")});
    return table;
  }

  Session& session_;
  bool is_first_ = true;
  bool has_rows_ = false;
  std::uint64_t first_generation_ = 0;
  std::uint64_t last_generation_ = 0;
};

std::string text_of(int error) {
  return std::strerror(error);  // NOLINT(concurrency-mt-unsafe): there is one thread
}

// A file that takes another's place when it is whole, and leaves nothing where it is not.
class Replacement {
 public:
  explicit Replacement(std::string path)
      : path_(std::move(path)), draft_(fmt::format("{}.{}.new", path_, getpid())) {
    file_.reset(std::fopen(draft_.c_str(), "wxe"));
    if (!file_) fail();
  }
  ~Replacement() {
    if (!file_) return;
    file_.reset();
    std::remove(draft_.c_str());
  }
  Replacement(const Replacement&) = delete;
  Replacement& operator=(const Replacement&) = delete;

  void write(std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size()) fail();
  }
  void finish() {
    if (std::fflush(file_.get()) != 0 || fsync(fileno(file_.get())) != 0 ||
        std::rename(draft_.c_str(), path_.c_str()) != 0)
      fail();
    file_.reset();
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  [[noreturn]] void fail() const {
    throw Failure(kRefused,
                  fmt::format("--output {}: cannot be written: {}", path_, text_of(errno)));
  }

  std::string path_;
  std::string draft_;
  std::unique_ptr<std::FILE, Close> file_;
};

std::string outcomes_line(Session& session) {
  const Json counters = session.get("/steer/v1/counters");
  std::string text;
  for (const auto& [name, volume] : counters.at("outcomes").items())
    if (number(volume, "packets") != 0)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", harmless(name),
                          amount(volume, "packets"));
  return text.empty() ? "no packets yet" : "packets: " + text;
}

void draw(Session& session, const Json& page, const std::string& outcomes) {
  Table table({{"CIDR"},
               {"SERVICE"},
               {"PACKETS/S", Align::right},
               {"BIT/S", Align::right},
               {"PACKETS", Align::right},
               {"LAST SEEN (UTC)"}});
  for (const Json& binding : page.at("bindings"))
    table.add({cell(binding, "cidr"), cell(binding, "service"),
               scaled(rate(binding, "packets_per_second")),
               scaled(rate(binding, "bits_per_second")), amount(binding, "packets"),
               moment(binding, "last_seen")});
  const Console& console = session.console();
  std::string text;
  // Home, and nothing behind it.
  if (console.is_terminal) text = "\x1b[H\x1b[2J";
  text += fmt::format("generation {}; {}\n", cell(page, "generation"), outcomes);
  session.print(text + table.text(console.is_coloured));
  if (!console.is_terminal) session.print("\n");
}

}  // namespace

void list_bindings(Session& session) {
  const Options& options = session.options();
  const std::string& order = options.text("order");
  std::uint64_t left = options.number("limit", 1, ~std::uint64_t{0}, ~std::uint64_t{0});
  if (!order.empty() && !options.has("limit")) left = kPageMax;  // what is ordered has one page
  Listing listing(session);
  std::string after;
  Json next;
  do {
    const std::uint64_t wanted = std::min(left, kPageMax);
    const Json page = session.get(page_target(session, wanted, after, order));
    listing.show(page);
    next = page.at("next");
    left -= std::min<std::uint64_t>(left, page.at("bindings").size());
    if (next.is_string()) after = next.get<std::string>();
  } while (left != 0 && next.is_string() && order.empty());
  listing.end(next);
}

void export_state(Session& session) {
  const std::string target = "/steer/v1/export" + query_of({{"account", session.account()}});
  if (!session.options().has("output")) {
    session.download(target, [&session](std::string_view piece) {
      session.print(piece);
      return true;
    });
    return;
  }
  Replacement file(session.options().text("output"));
  session.download(target, [&file](std::string_view piece) {
    file.write(piece);
    return true;
  });
  file.finish();
}

void show_top(Session& session) {
  const Options& options = session.options();
  const std::chrono::seconds interval(options.number("interval", 1, 3600, 1));
  const std::uint64_t limit = options.number("limit", 1, 1000, 20);
  std::uint64_t left = options.number("count", 1, ~std::uint64_t{0}, ~std::uint64_t{0});
  const std::string target = page_target(session, limit, {}, "rate");
  // The counters are of all accounts: a token of one may not see them.
  bool has_counters = !options.has("json");
  std::string outcomes = "the counters of outcomes are of all accounts";
  for (;;) {
    const Json page = session.get(target);
    if (has_counters) {
      try {
        outcomes = outcomes_line(session);
      } catch (const Failure& failure) {
        if (failure.status != kRefused) throw;
        has_counters = false;
      }
    }
    if (options.has("json"))
      session.print(page.dump() + "\n");
    else
      draw(session, page, outcomes);
    if (--left == 0 || !session.console().pause(interval)) return;
  }
}

}  // namespace control::ctl
