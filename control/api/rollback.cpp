// SPDX-License-Identifier: BSD-3-Clause
//
// POST /steer/v1/rollback: the way back to an earlier generation, made of what the history says was
// there before each change set since.
#include <fmt/format.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "control/api/body.hpp"
#include "control/api/change_operations.hpp"
#include "control/api/former.hpp"

namespace control::api {
namespace {

using store::BindingRow;
using store::HistoryRow;
using store::PrefixRow;

Error unreadable(std::string why) {
  return Error::of(503, Code::not_writable, std::move(why));
}

std::expected<std::uint64_t, Error> read_generation(std::string_view text) {
  auto body = Body::parse(text);
  if (!body) return std::unexpected(body.error());
  const auto generation = body->required_number("generation");
  body->refuse_others({"generation"});
  if (body->has_faults()) return std::unexpected(body->error());
  return generation;
}

std::expected<void, Error> check_reach(std::uint64_t generation, const State& state,
                                       store::Store& store) {
  const auto oldest = store.rollback_from();
  if (!oldest) return std::unexpected(unreadable(oldest.error().message));
  if (generation >= *oldest && generation <= state.generation()) return {};
  return std::unexpected(
      Error::of(404, Code::no_such_route,
                fmt::format("the history leads back to generations {} to {}, not to {}", *oldest,
                            state.generation(), generation),
                "/generation"));
}

// What there was at a generation of all that was touched since.
std::expected<Former, Error> former_at(std::uint64_t generation, const State& state,
                                       store::Store& store) {
  Former former;
  const auto go_back = [&](const HistoryRow& row) -> std::expected<void, Error> {
    if (row.generation <= generation) return {};
    if (auto gone = former.go_back(row.before); !gone)
      return std::unexpected(unreadable(std::move(gone.error())));
    return {};
  };
  const auto unwritten = state.unwritten_history();
  for (auto row = unwritten.rbegin(); row != unwritten.rend(); ++row)
    if (auto gone = go_back(*row); !gone) return std::unexpected(std::move(gone.error()));
  // A few at a time: each may be large.
  constexpr std::size_t kRows = 16;
  store::Store::HistoryQuery query{
      .above = generation, .limit = kRows, .with_what = false, .with_before = true};
  for (;;) {
    const auto rows = store.history(query);
    if (!rows) return std::unexpected(unreadable(rows.error().message));
    if (rows->empty()) return former;
    for (const HistoryRow& row : *rows)
      if (auto gone = go_back(row); !gone) return std::unexpected(std::move(gone.error()));
    query.below = rows->back().generation;
  }
}

struct WayBack {
  std::vector<Change> changes;
  State::Details details;
};

void go_back_by_prefixes(const Former& former, const Catalog& catalog, WayBack& way,
                         std::set<lpm::AnyPrefix>& leaving) {
  for (const auto& [cidr, was] : former.prefixes) {
    if (was || catalog.find<PrefixRow>(cidr) == nullptr) continue;
    leaving.insert(cidr);
    way.changes.push_back(Change::remove_prefix(cidr, true));
  }
  for (const auto& [cidr, was] : former.prefixes) {
    if (!was) continue;
    way.details[cidr] = {.account = was->account,
                         .asn = was->asn,
                         .description = was->description,
                         .loa_document_id = was->loa_document_id,
                         .former = &*was};
    if (catalog.find<PrefixRow>(cidr) == nullptr) way.changes.push_back(Change::add_prefix(cidr));
  }
}

void go_back_by_binding(const lpm::AnyPrefix& cidr, const std::optional<BindingRow>& was,
                        const BindingRow* is, std::vector<Change>& changes) {
  if (was && is == nullptr)
    changes.push_back(Change::add_binding({was->prefix, cidr}, was->service));
  else if (!was && is != nullptr)
    changes.push_back(Change::remove_binding({is->prefix, cidr}));
  else if (was && is->service != was->service)
    changes.push_back(Change::change_service({was->prefix, cidr}, was->service));
}

WayBack way_back(const Former& former, const Catalog& catalog) {
  WayBack way;
  std::set<lpm::AnyPrefix> leaving;  // with their bindings
  go_back_by_prefixes(former, catalog, way, leaving);
  for (const auto& [cidr, was] : former.bindings) {
    const BindingRow* is = catalog.find<BindingRow>(cidr);
    if (is != nullptr && leaving.contains(is->prefix)) is = nullptr;
    go_back_by_binding(cidr, was, is, way.changes);
  }
  return way;
}

Error error_of(const std::vector<Violation>& violations) {
  const Rank rank = rank_of(violations.front().code);
  return Error::of(rank.status, rank.code, violations.front().message, "/generation");
}

}  // namespace

Answer roll_back(State& state, const Context& context, const Job& job) {
  const auto refuse = [](const Error& error) { return Answer{.response = response_of(error)}; };
  if (!job.principal.account.empty())
    return refuse(Error::of(403, Code::not_allowed,
                            "a rollback is of all accounts, and this token is of one"));
  auto request = read_change_request(job, state);
  if (!request) return refuse(request.error());
  const auto generation = read_generation(job.request.body);
  if (!generation) return refuse(generation.error());
  if (auto reached = check_reach(*generation, state, *context.store); !reached)
    return refuse(reached.error());
  const auto former = former_at(*generation, state, *context.store);
  if (!former) return refuse(former.error());
  const WayBack way = way_back(*former, state.catalog());
  request->options.former = &former->bindings;
  request->options.reason = fmt::format("rollback to {}", *generation);
  const auto made =
      state.change(way.changes, way.details, author_of(job, context), request->options);
  if (made) return answer_of(*made, *request, state, context);
  if (!made.error().guard.empty())
    return refuse(Error::of(403, Code::not_allowed, made.error().guard));
  return refuse(error_of(made.error().violations));
}

}  // namespace control::api
