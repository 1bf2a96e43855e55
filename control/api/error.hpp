// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "control/violation.hpp"

namespace control::api {

// Codes of the wire format. They say more than the status of the response, and are stable.
enum class Code : unsigned {
  prefix_not_found = 1000,
  malformed_cidr = 1001,
  binding_not_found = 1002,
  rule_violated = 1003,
  malformed_body = 1022,
  exists = 1108,
  malformed_request = 1400,  // HTTP itself
  generation_mismatch = 1412,
  body_too_large = 1413,
  header_too_large = 1431,
  no_such_route = 7003,
  not_allowed = 10000,
  method_not_allowed = 10405,
  rate_limited = 10429,
  not_writable = 10503,
};

struct Fault {
  Code code = Code::no_such_route;
  std::string message;
  std::string pointer = {};  // JSON pointer into the request's body; empty: none
};

// Why a request is refused: one status, one or more reasons.
struct Error {
  unsigned status = 500;
  std::vector<Fault> faults;

  static Error of(unsigned status, Code code, std::string message, std::string pointer = {}) {
    return {status, {{code, std::move(message), std::move(pointer)}}};
  }
};

// The one table from rules to the wire: status and code of a violation.
struct Rank {
  unsigned status;
  Code code;
};
[[nodiscard]] Rank rank_of(ViolationCode code) noexcept;

}  // namespace control::api
