// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/change_operations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "control/api/change_set.hpp"
#include "control/api/json_text.hpp"
#include "control/quote.hpp"

namespace control::api {
namespace {

Error malformed(std::string message) {
  return Error::of(400, Code::malformed_request, std::move(message));
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// "7" or 7.
std::optional<std::uint64_t> generation_in(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
    text = text.substr(1, text.size() - 2);
  const std::string digits(text);
  std::uint64_t generation = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stopped, error] = std::from_chars(digits.data(), end, generation);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return generation;
}

std::expected<void, Error> take_account(const std::string& account, const Principal& principal,
                                        ChangeRequest& request) {
  if (!is_account(account))
    return std::unexpected(
        malformed(fmt::format("account must be letters, digits and -, at most {}, not {}",
                              kAccountBytesMax, quoted(account))));
  if (!principal.may_see(account))
    return std::unexpected(Error::of(404, Code::no_such_route,
                                     fmt::format("there is no account {}", quoted(account))));
  request.account = account;
  return {};
}

std::expected<void, Error> take_parameter(std::string_view key, const std::string& value,
                                          ChangeRequest& request) {
  const auto must_be = [&](std::string_view what) {
    return std::unexpected(
        malformed(fmt::format("{} must be {}, not {}", key, what, quoted(value))));
  };
  if (key == "dry_run") {
    if (value != "true" && value != "false") return must_be("true or false");
    request.options.is_dry_run = value == "true";
  } else if (key == "wait") {
    if (value != "active") return must_be("active");
    request.awaits_active = true;
  } else if (key == "allow") {
    if (value != "mass-change") return must_be("mass-change");
  } else {
    return std::unexpected(
        malformed(fmt::format("there is no query parameter {} here", quoted(key))));
  }
  return {};
}

}  // namespace

std::expected<void, Error> match_generation(std::string_view if_match, std::uint64_t generation) {
  std::string_view rest = trimmed(if_match);
  if (rest.empty() || rest == "*") return {};
  std::optional<std::uint64_t> wanted;
  while (!rest.empty()) {
    const std::string_view one = trimmed(rest.substr(0, rest.find(',')));
    rest.remove_prefix(std::min(rest.find(','), rest.size() - 1) + 1);
    const auto number = generation_in(one);
    if (!number)
      return std::unexpected(malformed(fmt::format(
          "If-Match must be a generation, as \"{}\", or *, not {}", generation, quoted(if_match))));
    if (*number == generation) return {};
    wanted = number;
  }
  return std::unexpected(Error::of(
      412, Code::generation_mismatch,
      fmt::format("the state is at generation {}, not {}", generation, wanted.value_or(0))));
}

std::expected<ChangeRequest, Error> read_change_request(const Job& job, const State& state,
                                                        bool takes_account) {
  ChangeRequest request;
  for (const auto& [key, value] : job.route.query) {
    auto taken = takes_account && key == "account" ? take_account(value, job.principal, request)
                                                   : take_parameter(key, value, request);
    if (!taken) return std::unexpected(std::move(taken.error()));
  }
  if (!job.request.allow.empty() && job.request.allow != "mass-change")
    return std::unexpected(malformed(
        fmt::format("X-Steer-Allow must be mass-change, not {}", quoted(job.request.allow))));
  if (auto matched = match_generation(job.request.if_match, state.generation()); !matched)
    return std::unexpected(std::move(matched.error()));
  request.options.may_mass_change = may_mass_change(job);
  request.options.sees_all_accounts = job.principal.account.empty();
  return request;
}

Answer answer_of(const ChangeReport& report, const ChangeRequest& request, const State& state,
                 const Context& context) {
  const std::uint64_t generation = state.generation();
  const bool waits = request.awaits_active && !request.options.is_dry_run;
  Answer answer{
      .response = {.status = 200,
                   .body = success_of(change_result_json(
                       report, {.generation = generation,
                                .is_active = waits || generation <= context.progress.active,
                                .is_dry_run = request.options.is_dry_run})),
                   .etag = generation}};
  if (waits) answer.awaits = generation;
  return answer;
}

Answer apply_changes(State& state, const Context& context, const Job& job) {
  const auto request = read_change_request(job, state);
  if (!request) return {.response = response_of(request.error())};
  const auto set = read_change_set(job.request.body, state, job.principal);
  if (!set) return {.response = response_of(set.error())};
  const auto made =
      state.change(set->changes, set->details, author_of(job, context), request->options);
  if (made) return answer_of(*made, *request, state, context);
  if (!made.error().guard.empty())
    return {.response = response_of(Error::of(403, Code::not_allowed, made.error().guard))};
  return {.response = response_of(error_of(made.error().violations, *set, job.principal))};
}

}  // namespace control::api
