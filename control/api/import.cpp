// SPDX-License-Identifier: BSD-3-Clause
//
// PUT /steer/v1/import: makes the state equal to a document.
#include <string>
#include <utility>

#include "control/api/body_file.hpp"
#include "control/api/change_operations.hpp"
#include "control/api/import_set.hpp"

namespace control::api {
namespace {

std::expected<BodyFile::Mapped, Error> body_of(const Job& job) {
  if (!job.request.file) return {};
  auto mapped = job.request.file->map();
  if (mapped) return std::move(*mapped);
  return std::unexpected(Error::of(503, Code::not_writable, std::move(mapped.error())));
}

// The body is out of memory again when this returns.
std::expected<ImportSet, Error> read(const Job& job, const State& state,
                                     const Principal& principal) {
  const auto body = body_of(job);
  if (!body) return std::unexpected(body.error());
  return read_import(body->text(), state, principal);
}

Error why_not(const Refusal& refusal, const ImportSet& set, const Job& job, const State& state) {
  if (!refusal.guard.empty()) return Error::of(403, Code::not_allowed, refusal.guard);
  const auto body = body_of(job);
  if (!body) return body.error();
  return error_of(refusal.violations, set, body->text(), state, job.principal);
}

}  // namespace

Answer import_state(State& state, const Context& context, const Job& job) {
  const auto request = read_change_request(job, state, true);
  if (!request) return {.response = response_of(request.error())};
  // What is not of that account is as if it could not be seen.
  Principal principal = job.principal;
  if (!request->account.empty()) principal.account = request->account;
  const auto set = read(job, state, principal);
  if (!set) return {.response = response_of(set.error())};
  const auto made =
      state.change(set->changes, set->details, author_of(job, context), request->options);
  if (made) return answer_of(*made, *request, state, context);
  return {.response = response_of(why_not(made.error(), *set, job, state))};
}

}  // namespace control::api
