// SPDX-License-Identifier: BSD-3-Clause
//
// What steer adds to the API that its clients know: below /steer/v1.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>
#include <string>
#include <utility>

#include "control/api/body.hpp"
#include "control/api/change_operations.hpp"
#include "control/api/change_set.hpp"
#include "control/api/json_text.hpp"
#include "control/api/operations.hpp"
#include "control/api/parameters.hpp"
#include "control/api/reading.hpp"
#include "control/quote.hpp"

namespace control::api {
namespace {

using store::TokenRow;

constexpr std::size_t kTokensMax = 10'000;
constexpr std::size_t kNameCharactersMax = 100;
constexpr std::uint64_t kHistoryRowsMax = 1000;
constexpr std::size_t kHistoryBytesMax = std::size_t{8} << 20;

Answer ok(std::string_view result, unsigned status = 200) {
  return {.response = {.status = status, .body = success_of(result)}};
}

Answer refuse(const Error& error) {
  return {.response = response_of(error)};
}

std::optional<std::uint64_t> whole_in(const std::string& text) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return value;
}

// secret: shown once, when it is made.
void append_token(std::string& to, const TokenRow& row, std::string_view secret) {
  const auto out = std::back_inserter(to);
  fmt::format_to(out, R"({{"number":{},"name":)", row.number);
  append_quoted(to, row.name);
  fmt::format_to(out, R"(,"role":"{}","account":)", row.may_write ? "write" : "read");
  if (row.account.empty())
    to += "null";
  else
    append_quoted(to, row.account);
  to += R"(,"created_at":)";
  append_time(to, row.created_at);
  to += R"(,"revoked_at":)";
  if (row.revoked_at)
    append_time(to, *row.revoked_at);
  else
    to += "null";
  if (!secret.empty()) {
    to += R"(,"token":)";
    append_quoted(to, secret);
  }
  to += '}';
}

Answer list_tokens(const State& state) {
  std::string text = "[";
  for (const TokenRow& row : state.tokens()) {
    if (text.size() > 1) text += ',';
    append_token(text, row, {});
  }
  return ok(text + "]");
}

Answer create_token(State& state, const Context& context, const Job& job) {
  auto body = Body::parse(job.request.body);
  if (!body) return refuse(body.error());
  TokenRow row;
  row.name = body->optional_text("name");
  row.account = body->optional_text("account");
  // What is misspelt would otherwise make a token of all accounts.
  body->refuse_others({"name", "role", "account"});
  if (body->is_empty_text("account"))
    body->refuse("account", "account must not be empty; without it the token is for all accounts");
  const std::string role = body->required_text("role");
  if (!role.empty() && role != "read" && role != "write")
    body->refuse("role", fmt::format("role must be read or write, not {}", quoted(role)));
  if (characters_in(row.name) > kNameCharactersMax)
    body->refuse("name", fmt::format("name has more than {} characters", kNameCharactersMax));
  if (!row.account.empty() && !is_account(row.account))
    body->refuse("account", fmt::format("account must be letters, digits and -, at most {}, not {}",
                                        kAccountBytesMax, quoted(row.account)));
  if (role.empty() && !body->has_faults())
    body->refuse("role", "role must be read or write, not empty");
  if (body->has_faults()) return refuse(body->error());
  if (state.tokens().size() >= kTokensMax)
    return refuse(Error::of(400, Code::rule_violated,
                            fmt::format("there are {} tokens; no more are possible", kTokensMax)));
  row.number = static_cast<store::TokenNumber>(state.tokens().size()) + 1;
  if (row.name.empty()) row.name = fmt::format("token-{}", row.number);
  row.may_write = role == "write";
  row.created_at = context.now;
  const std::string secret = new_secret();
  row.hash = hash_of(secret);
  state.put_token(row, author_of(job, context));
  std::string text;
  append_token(text, row, secret);
  return ok(text, 201);
}

Answer revoke_token(State& state, const Context& context, const Job& job) {
  const auto number = whole_in(job.route.token);
  if (!number || *number == 0 || *number > state.tokens().size())
    return refuse(Error::of(404, Code::no_such_route,
                            fmt::format("there is no token {}", quoted(job.route.token))));
  TokenRow row = state.tokens()[*number - 1];
  if (!row.revoked_at) {
    row.revoked_at = context.now;
    state.put_token(row, author_of(job, context));
  }
  std::string text;
  append_token(text, row, {});
  return ok(text);
}

struct Counts {
  std::size_t prefixes = 0;
  std::size_t bindings = 0;
};

// Of what a token may see.
Counts counts_for(const Principal& principal, const Catalog& catalog) {
  if (principal.account.empty()) return {catalog.prefixes().size(), catalog.bindings().size()};
  Counts counts;
  for (const store::PrefixRow& row : catalog.prefixes()) {
    if (!principal.may_see(row.account)) continue;
    ++counts.prefixes;
    counts.bindings +=
        static_cast<std::size_t>(std::ranges::distance(catalog.bindings_in(row.cidr)));
  }
  return counts;
}

Answer show_status(const State& state, const Context& context, const Job& job) {
  const Counts counts = counts_for(job.principal, state.catalog());
  Answer answer = ok(fmt::format(
      R"({{"generation":{},"active":{},"prefixes":{},"bindings":{},"magic_transit_up":{}}})",
      state.generation(), context.progress.active, counts.prefixes, counts.bindings,
      context.progress.magic_transit_up));
  answer.response.etag = state.generation();
  return answer;
}

// The history says what all accounts did.
Answer show_history(const State& state, const Context& context, const Job& job) {
  if (!job.principal.account.empty())
    return refuse(Error::of(403, Code::not_allowed,
                            "the history is of all accounts, and this token is of one"));
  constexpr std::uint64_t kAny = std::numeric_limits<std::uint64_t>::max();
  Parameters parameters(job);
  store::Store::HistoryQuery query{.bytes_max = kHistoryBytesMax};
  if (const auto limit = parameters.whole("limit", 1, kAny))
    query.limit = std::min<std::uint64_t>(*limit, kHistoryRowsMax);
  if (const auto above = parameters.whole("above", 0, kAny)) query.above = *above;
  if (const auto below = parameters.whole("below", 0, kAny)) query.below = *below;
  if (auto error = parameters.error()) return refuse(*error);
  const auto rows = context.store->history(query);
  if (!rows) return refuse(Error::of(503, Code::not_writable, rows.error().message));
  std::string text = "[";
  for (const store::HistoryRow& row : *rows) {
    if (text.size() > 1) text += ',';
    fmt::format_to(std::back_inserter(text), R"({{"generation":{},"at":)", row.generation);
    append_time(text, row.at);
    fmt::format_to(std::back_inserter(text), R"(,"token":{},"who":)", row.by);
    append_quoted(text, row.who);
    text += R"(,"what":)";
    append_quoted(text, row.what);
    text += '}';
  }
  Answer answer = ok(text + "]");
  answer.response.etag = state.generation();
  return answer;
}

}  // namespace

Answer carry_out_own(State& state, const Context& context, const Job& job) {
  switch (job.route.endpoint->operation) {
    case Operation::list_tokens:
      return list_tokens(state);
    case Operation::create_token:
      return create_token(state, context, job);
    case Operation::revoke_token:
      return revoke_token(state, context, job);
    case Operation::show_history:
      return show_history(state, context, job);
    case Operation::apply_changes:
      return apply_changes(state, context, job);
    case Operation::roll_back:
      return roll_back(state, context, job);
    case Operation::list_all_prefixes:
      return list_all_prefixes(state, job);
    case Operation::list_all_bindings:
      return list_all_bindings(state, context, job);
    case Operation::explain_address:
      return explain_address(state, context, job);
    case Operation::show_counters:
      return show_counters(state, context, job);
    case Operation::export_state:
      return export_state(state, job);
    case Operation::import_state:
      return import_state(state, context, job);
    default:
      return show_status(state, context, job);
  }
}

}  // namespace control::api
