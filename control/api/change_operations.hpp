// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "control/api/change_report.hpp"
#include "control/api/operations.hpp"

// What operations below /steer/v1 share that make change sets: their query, If-Match, and result.
namespace control::api {

struct ChangeRequest {
  ChangeOptions options;
  bool awaits_active = false;
  std::string account = {};  // empty: all that the token may see
};

// Of dry_run, wait and allow, and of X-Steer-Allow and If-Match; of account too where the operation
// takes that. 400, 412 where the state is not at the generation that If-Match names, or 404.
[[nodiscard]] std::expected<ChangeRequest, Error> read_change_request(const Job& job,
                                                                      const State& state,
                                                                      bool takes_account = false);
// Whether If-Match ("7", 7, a list of such, or *) allows this generation. 400 or 412.
[[nodiscard]] std::expected<void, Error> match_generation(std::string_view if_match,
                                                          std::uint64_t generation);

// 200 with change_result_json(); after State::change() with the same request.
[[nodiscard]] Answer answer_of(const ChangeReport& report, const ChangeRequest& request,
                               const State& state, const Context& context);

[[nodiscard]] Answer apply_changes(State& state, const Context& context, const Job& job);
[[nodiscard]] Answer roll_back(State& state, const Context& context, const Job& job);
// The body is in Request::file.
[[nodiscard]] Answer import_state(State& state, const Context& context, const Job& job);

}  // namespace control::api
