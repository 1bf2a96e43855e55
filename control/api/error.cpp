// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/error.hpp"

namespace control::api {

Rank rank_of(ViolationCode code) noexcept {
  switch (code) {
    case ViolationCode::malformed_cidr:
    case ViolationCode::host_bits_set:
    case ViolationCode::prefix_too_long:
    case ViolationCode::prefix_not_allowed:
    case ViolationCode::outside_prefix:
      return {400, Code::malformed_cidr};
    case ViolationCode::prefix_exists:
    case ViolationCode::prefix_overlaps:
    case ViolationCode::binding_exists:
      return {409, Code::exists};
    case ViolationCode::prefix_not_found:
      return {404, Code::prefix_not_found};
    case ViolationCode::binding_not_found:
      return {404, Code::binding_not_found};
    case ViolationCode::unknown_service:
    case ViolationCode::prefix_not_empty:
    case ViolationCode::missing_default:
    case ViolationCode::magic_transit_below_default:
    case ViolationCode::same_service_as_cover:
    case ViolationCode::binding_in_the_way:
    case ViolationCode::too_many_bindings:
      break;
  }
  return {400, Code::rule_violated};
}

}  // namespace control::api
