// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <iterator>
#include <string>
#include <string_view>

#include "control/api/json_text.hpp"
#include "control/api/parameters.hpp"
#include "control/api/reading.hpp"

namespace control::api {
namespace {

// The members of an object, behind what it has already.
void append_counts(std::string& to, const Observer::Counts& counts) {
  for (const auto& [name, value] : counts)
    fmt::format_to(std::back_inserter(to), R"({}"{}":{})", to.ends_with('{') ? "" : ",", name,
                   value);
}

void append_volume(std::string& to, const dataplane::Volume& volume) {
  fmt::format_to(std::back_inserter(to), R"({{"packets":{},"bytes":{}}})", volume.packets,
                 volume.bytes);
}

// [...] of what `append` makes of each.
template <class List, class Append>
void append_all(std::string& to, std::string_view name, const List& list, Append&& append) {
  fmt::format_to(std::back_inserter(to), R"(,"{}":[)", name);
  for (const auto& one : list) {
    if (!to.ends_with('[')) to += ',';
    append(one);
    to += '}';
  }
  to += ']';
}

std::string counters_json(const Observer::Counters& counters, const State& state,
                          const Context& context) {
  std::string text = R"({"at":)";
  const auto out = std::back_inserter(text);
  append_time(text, context.now);
  fmt::format_to(out, R"(,"generation":{},"active":{},"received":)", state.generation(),
                 context.progress.active);
  append_volume(text, counters.received);
  text += R"(,"outcomes":{)";
  for (const auto& [name, volume] : counters.outcomes) {
    fmt::format_to(out, R"({}"{}":)", text.ends_with('{') ? "" : ",", name);
    append_volume(text, volume);
  }
  text += '}';
  append_all(text, "services", counters.services, [&](const Observer::ServiceCounts& one) {
    fmt::format_to(out, R"({{"service":"{}","is_up":{},"is_resolved":{})", name_of(one.service),
                   one.output.is_up, one.output.is_resolved);
    append_counts(text, one.counts);
  });
  append_all(text, "workers", counters.workers, [&](const Observer::Worker& one) {
    text += R"({"cpu":)";
    append_quoted(text, one.cpu);
    fmt::format_to(out, R"(,"is_asleep":{})", one.is_asleep);
    append_counts(text, one.counts);
  });
  append_all(text, "ports", counters.ports, [&](const Observer::Port& one) {
    text += R"({"name":)";
    append_quoted(text, one.name);
    fmt::format_to(out, R"(,"is_up":{})", one.is_up);
    append_counts(text, one.counts);
    if (one.xdp.empty()) return;
    text += R"(,"xdp":{)";
    append_counts(text, one.xdp);
    text += '}';
  });
  return text + "}";
}

}  // namespace

Answer show_counters(const State& state, const Context& context, const Job& job) {
  if (!job.principal.account.empty())
    return {.response = response_of(Error::of(
                403, Code::not_allowed,
                "these counters are of all accounts, and this token is of one; those of a binding "
                "are in GET /steer/v1/bindings"))};
  if (auto error = Parameters(job).error()) return {.response = response_of(*error)};
  return {
      .response = {.body = success_of(counters_json(context.observer->counters(), state, context)),
                   .etag = state.generation()}};
}

}  // namespace control::api
