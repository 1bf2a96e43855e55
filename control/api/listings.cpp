// SPDX-License-Identifier: BSD-3-Clause
//
// All prefixes, all bindings, and the export of both.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "control/api/json_text.hpp"
#include "control/api/parameters.hpp"
#include "control/api/reading.hpp"
#include "control/quote.hpp"

namespace control::api {
namespace {

using dataplane::Service;
using store::BindingRow;
using store::PrefixRow;

constexpr std::size_t kPageDefault = 1000;
constexpr std::size_t kPageMax = 10'000;
constexpr std::array<std::string_view, 3> kStates{"provisioning", "active",
                                                  "magic_transit_route_missing"};

Answer refuse(const Error& error) {
  return {.response = response_of(error)};
}

// Shows the state at this generation.
Answer ok(std::string_view result, const State& state) {
  return {.response = {.body = success_of(result), .etag = state.generation()}};
}

void append_text_or_null(std::string& to, std::string_view text) {
  if (text.empty())
    to += "null";
  else
    append_quoted(to, text);
}

void append_asn(std::string& to, std::uint32_t asn) {
  if (asn == 0)
    to += "null";
  else
    fmt::format_to(std::back_inserter(to), "{}", asn);
}

void append_own_prefix(std::string& to, const PrefixRow& row, const State& state) {
  const BindingRow* const own = state.catalog().find<BindingRow>(row.cidr);
  const Bindings* const bindings = state.bindings().find(row.cidr);
  const auto out = std::back_inserter(to);
  fmt::format_to(out, R"({{"id":"{}","account":)", to_string(row.id));
  append_quoted(to, row.account);
  fmt::format_to(out, R"(,"cidr":"{}","asn":)", to_string(row.cidr));
  append_asn(to, row.asn);
  to += R"(,"description":)";
  append_quoted(to, row.description);
  to += R"(,"service":)";
  append_text_or_null(to, own == nullptr ? std::string_view() : name_of(own->service));
  fmt::format_to(out, R"(,"bindings":{},"generation":{},"created_at":)",
                 bindings == nullptr ? 0 : bindings->size(), row.generation);
  append_time(to, row.created_at);
  to += R"(,"modified_at":)";
  append_time(to, row.modified_at);
  to += '}';
}

// --- bindings

struct Filter {
  std::optional<lpm::AnyPrefix> prefix;   // onboarded
  std::optional<lpm::AnyPrefix> within;   // the binding lies in it
  std::optional<lpm::AnyPrefix> address;  // /32 or /128, which lies in the binding
  std::optional<Service> service;
  std::optional<std::size_t> state;  // of kStates
  std::optional<std::string> account;

  // Whether bindings of this prefix are looked at.
  [[nodiscard]] bool takes(const PrefixRow& row, const Principal& principal) const {
    return principal.may_see(row.account) && (!account || row.account == *account);
  }
  [[nodiscard]] bool fits(const BindingRow& row, const Progress& progress) const {
    if (prefix && row.prefix != *prefix) return false;
    if (within && !contains(*within, row.cidr)) return false;
    if (address && !contains(row.cidr, *address)) return false;
    if (service && row.service != *service) return false;
    return !state || state_of(row, progress) == kStates.at(*state);
  }
};

struct ListRequest {
  Filter filter;
  std::size_t limit = kPageDefault;
  std::optional<lpm::AnyPrefix> after;
  std::optional<Observer::Order> order;
};

std::expected<ListRequest, Error> read_list_request(const Job& job) {
  Parameters parameters(job);
  ListRequest request;
  request.filter.prefix = parameters.cidr("prefix");
  request.filter.within = parameters.cidr("within");
  request.filter.service = parameters.service("service");
  if (const auto address = parameters.address("address"))
    request.filter.address = std::visit(
        []<class Address>(Address one) {
          return lpm::AnyPrefix(lpm::Prefix<Address>::enclosing(one, Address::kBits));
        },
        *address);
  request.filter.state = parameters.one_of("state", {kStates[0], kStates[1], kStates[2]});
  request.filter.account = parameters.account();
  request.limit = parameters.whole("limit", 1, kPageMax).value_or(kPageDefault);
  request.after = parameters.cidr("after");
  if (const auto order = parameters.one_of("order", {"packets", "rate"}))
    request.order = *order == 0 ? Observer::Order::packets : Observer::Order::rate;
  if (request.order && request.after)
    parameters.refuse("after goes on in the order of the address space, and not with order");
  if (auto error = parameters.error()) return std::unexpected(std::move(*error));
  return request;
}

// Walks over the bindings that a token may see, in the order of the address space.
class Walk {
 public:
  Walk(const State& state, const Context& context, const Job& job, const Filter& filter)
      : catalog_(state.catalog()),
        progress_(context.progress),
        principal_(job.principal),
        filter_(filter) {}

  // Up to `limit` that fit, behind `after`. Ends early where it has looked at kScannedMax.
  void take(std::size_t limit, const std::optional<lpm::AnyPrefix>& after) {
    limit_ = limit;
    if (filter_.address) return take_around(after);
    const auto& prefixes = catalog_.prefixes();
    const std::optional<lpm::AnyPrefix> block = filter_.prefix ? filter_.prefix : filter_.within;
    const std::optional<lpm::AnyPrefix> from = std::max(after, block);
    auto prefix = prefixes.begin();
    if (from) {
      prefix = prefixes.upper_bound(*from);
      if (prefix != prefixes.begin() && contains(std::prev(prefix)->cidr, *from)) --prefix;
    }
    for (; prefix != prefixes.end(); ++prefix) {
      const bool overlaps =
          !block || contains(*block, prefix->cidr) || contains(prefix->cidr, *block);
      if (!overlaps) return;
      if (filter_.takes(*prefix, principal_) && !take_from(*prefix, block, after)) return;
    }
  }

  [[nodiscard]] std::vector<const BindingRow*>& rows() noexcept { return rows_; }
  // Where the next page goes on; empty: there is none.
  [[nodiscard]] const std::optional<lpm::AnyPrefix>& next() const noexcept { return next_; }

 private:
  // False: it has ended.
  bool take_from(const PrefixRow& prefix, const std::optional<lpm::AnyPrefix>& block,
                 const std::optional<lpm::AnyPrefix>& after) {
    const bool is_part = block && contains(prefix.cidr, *block);
    const lpm::AnyPrefix& part = is_part ? *block : prefix.cidr;
    const auto& all = catalog_.bindings();
    auto row = after && *after >= part ? all.upper_bound(*after) : all.lower_bound(part);
    for (; row != all.end() && contains(part, row->cidr); ++row) {
      if (rows_.size() == limit_ || scanned_ == kScannedMax) {
        // Not the row itself: it may be gone by then, and so may this one.
        next_ = last_;
        return false;
      }
      ++scanned_;
      last_ = row->cidr;
      if (filter_.fits(*row, progress_)) rows_.push_back(&*row);
    }
    return true;
  }

  // Those that the address lies in: few.
  void take_around(const std::optional<lpm::AnyPrefix>& after) {
    const PrefixRow* const prefix = catalog_.prefix_around(*filter_.address);
    if (prefix == nullptr || !filter_.takes(*prefix, principal_)) return;
    std::visit(
        [&, this]<class Address>(const lpm::Prefix<Address>& host) {
          for (unsigned length = 0; length <= Address::kBits; ++length) {
            const lpm::AnyPrefix block(lpm::Prefix<Address>::enclosing(host.network(), length));
            const BindingRow* const row = catalog_.find<BindingRow>(block);
            if (row == nullptr || !filter_.fits(*row, progress_)) continue;
            if (after && block <= *after) continue;
            if (rows_.size() == limit_) {
              next_ = rows_.back()->cidr;
              return;
            }
            rows_.push_back(row);
          }
        },
        *filter_.address);
  }

  const Catalog& catalog_;
  const Progress& progress_;
  const Principal& principal_;
  const Filter& filter_;
  std::size_t limit_ = 0;
  std::size_t scanned_ = 0;
  std::vector<const BindingRow*> rows_;
  std::optional<lpm::AnyPrefix> last_;
  std::optional<lpm::AnyPrefix> next_;
};

void append_own_binding(std::string& to, const BindingRow& row, const Observer::Traffic& traffic,
                        const State& state, const Context& context) {
  const PrefixRow* const prefix = state.catalog().find<PrefixRow>(row.prefix);
  const auto out = std::back_inserter(to);
  fmt::format_to(out, R"({{"id":"{}","cidr":"{}","prefix":"{}","account":)", to_string(row.id),
                 to_string(row.cidr), to_string(row.prefix));
  append_quoted(to, prefix == nullptr ? std::string_view() : prefix->account);
  fmt::format_to(out, R"(,"service":"{}","state":"{}","generation":{},"created_at":)",
                 name_of(row.service), state_of(row, context.progress), row.generation);
  append_time(to, row.created_at);
  to += R"(,"modified_at":)";
  append_time(to, row.modified_at);
  fmt::format_to(
      out,
      R"(,"packets":{},"bytes":{},"packets_per_second":{:.1f},"bits_per_second":{:.1f},"last_seen":)",
      traffic.counted.packets, traffic.counted.bytes, traffic.packets_per_second,
      traffic.bits_per_second);
  if (traffic.last_seen)
    append_time(to, *traffic.last_seen);
  else
    to += "null";
  to += '}';
}

struct Busy {
  const BindingRow* row;
  Observer::Traffic traffic;

  [[nodiscard]] double rank(Observer::Order order) const noexcept {
    return order == Observer::Order::packets ? static_cast<double>(traffic.counted.packets)
                                             : traffic.packets_per_second;
  }
};

// The busiest of those that fit. 400 where a token of one account would have to be told which of
// its bindings are among the busiest of all.
std::expected<std::vector<Busy>, Error> sorted(const ListRequest& request, const State& state,
                                               const Context& context, const Job& job) {
  const Observer::Order order = *request.order;
  Walk walk(state, context, job, request.filter);
  walk.take(kScannedMax, std::nullopt);
  std::vector<const BindingRow*> rows = std::move(walk.rows());
  if (walk.next() && !job.principal.account.empty())
    return std::unexpected(
        Error::of(400, Code::malformed_request,
                  fmt::format("order is for at most {} bindings that prefix and within leave to "
                              "look at",
                              kScannedMax)));
  if (walk.next()) {
    // Some of these were found already.
    std::set<lpm::AnyPrefix> found;
    for (const BindingRow* const row : rows) found.insert(row->cidr);
    const auto busiest = context.observer->busiest(order);
    for (const lpm::AnyPrefix& cidr : *busiest) {
      const BindingRow* const row = state.catalog().find<BindingRow>(cidr);
      if (row == nullptr || !request.filter.fits(*row, context.progress)) continue;
      const PrefixRow* const prefix = state.catalog().find<PrefixRow>(row->prefix);
      if (prefix != nullptr && request.filter.takes(*prefix, job.principal) &&
          found.insert(cidr).second)
        rows.push_back(row);
    }
  }
  std::vector<Busy> busy;
  busy.reserve(rows.size());
  for (const BindingRow* const row : rows)
    busy.push_back({row, context.observer->traffic_of(row->cidr)});
  std::ranges::stable_sort(busy, std::ranges::greater(),
                           [order](const Busy& one) { return one.rank(order); });
  if (busy.size() > request.limit)
    busy.erase(std::next(busy.begin(), static_cast<std::ptrdiff_t>(request.limit)), busy.end());
  return busy;
}

Answer no_prefix(const lpm::AnyPrefix& cidr) {
  return refuse(Error::of(404, Code::prefix_not_found,
                          fmt::format("there is no prefix {}", quoted(to_string(cidr)))));
}

}  // namespace

Answer list_all_prefixes(const State& state, const Job& job) {
  Parameters parameters(job);
  const auto account = parameters.account();
  if (auto error = parameters.error()) return refuse(*error);
  std::string text = "[";
  for (const PrefixRow& row : state.catalog().prefixes()) {
    if (!job.principal.may_see(row.account)) continue;
    if (account && row.account != *account) continue;
    if (text.size() > 1) text += ',';
    append_own_prefix(text, row, state);
  }
  return ok(text + "]", state);
}

Answer list_all_bindings(const State& state, const Context& context, const Job& job) {
  const auto request = read_list_request(job);
  if (!request) return refuse(request.error());
  if (const auto& prefix = request->filter.prefix) {
    const PrefixRow* const row = state.catalog().find<PrefixRow>(*prefix);
    if (row == nullptr || !job.principal.may_see(row->account)) return no_prefix(*prefix);
  }
  std::string text = fmt::format(R"({{"generation":{},"bindings":[)", state.generation());
  const std::size_t begin = text.size();
  const auto append = [&](const BindingRow& row, const Observer::Traffic& traffic) {
    if (text.size() > begin) text += ',';
    append_own_binding(text, row, traffic, state, context);
  };
  std::optional<lpm::AnyPrefix> next;
  if (request->order) {
    const auto busy = sorted(*request, state, context, job);
    if (!busy) return refuse(busy.error());
    for (const Busy& one : *busy) append(*one.row, one.traffic);
  } else {
    Walk walk(state, context, job, request->filter);
    walk.take(request->limit, request->after);
    for (const BindingRow* const row : walk.rows())
      append(*row, context.observer->traffic_of(row->cidr));
    next = walk.next();
  }
  text += R"(],"next":)";
  append_text_or_null(text, next ? to_string(*next) : std::string());
  return ok(text + "}", state);
}

Answer export_state(const State& state, const Job& job) {
  Parameters parameters(job);
  const auto account = parameters.account();
  if (auto error = parameters.error()) return refuse(*error);
  std::string text = fmt::format("{{\"generation\": {},\n \"prefixes\": [", state.generation());
  const auto out = std::back_inserter(text);
  bool is_first = true;
  for (const PrefixRow& row : state.catalog().prefixes()) {
    if (!job.principal.may_see(row.account)) continue;
    if (account && row.account != *account) continue;
    const BindingRow* const own = state.catalog().find<BindingRow>(row.cidr);
    fmt::format_to(out, R"({}{{"cidr": "{}", "service": )", is_first ? "\n  " : ",\n  ",
                   to_string(row.cidr));
    is_first = false;
    append_text_or_null(text, own == nullptr ? std::string_view() : name_of(own->service));
    text += R"(, "account": )";
    append_quoted(text, row.account);
    text += R"(, "asn": )";
    append_asn(text, row.asn);
    text += R"(, "description": )";
    append_quoted(text, row.description);
    text += R"(, "loa_document_id": )";
    append_text_or_null(text, row.loa_document_id);
    text += R"(, "bindings": [)";
    bool is_first_binding = true;
    for (const BindingRow& binding : state.catalog().bindings_in(row.cidr)) {
      if (binding.cidr == row.cidr) continue;
      fmt::format_to(out, R"({}{{"cidr": "{}", "service": "{}"}})",
                     is_first_binding ? "\n    " : ",\n    ", to_string(binding.cidr),
                     name_of(binding.service));
      is_first_binding = false;
    }
    text += "]}";
  }
  text += "]}\n";
  return {.response = {.body = std::move(text), .etag = state.generation()}};
}

}  // namespace control::api
