// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "control/api/error.hpp"
#include "control/api/message.hpp"

// Which operation a method and a target mean. Pure functions.
namespace control::api {

enum class Operation : std::uint8_t {
  list_services,
  list_prefixes,
  create_prefix,
  get_prefix,
  edit_prefix,
  delete_prefix,
  list_bindings,
  create_binding,
  get_binding,
  delete_binding,
  list_tokens,
  create_token,
  revoke_token,
  show_status,
  show_history,
  apply_changes,
  roll_back,
  list_all_prefixes,
  list_all_bindings,
  explain_address,
  show_counters,
  export_state,
  import_state,
};

enum class Right : std::uint8_t {
  read,
  write,       // changes something
  administer,  // makes and revokes tokens, which only the Unix socket may
};

struct Endpoint {
  Method method;
  // {account}, {prefix}, {binding}, {token}: one segment of letters, digits and '-', at most 36.
  std::string_view path;
  Operation operation;
  // What a token must be allowed.
  Right right;
};
// Those of accounts are served below /client/v4 too. See openapi.yaml.
[[nodiscard]] std::span<const Endpoint> endpoints() noexcept;

struct Route {
  const Endpoint* endpoint = nullptr;
  std::string account;
  std::string prefix;
  std::string binding;
  std::string token;
  std::map<std::string, std::string, std::less<>> query;  // decoded
};

// 404, 405 (its faults are followed by the methods there are: allowed_methods()) or 400. Segments
// are taken as they are: an empty one, a percent sign or a trailing slash leads nowhere.
[[nodiscard]] std::expected<Route, Error> route(Method method, std::string_view target);
// "GET, POST" for the path of this target.
[[nodiscard]] std::string allowed_methods(std::string_view target);

[[nodiscard]] std::string_view name_of(Method method) noexcept;

}  // namespace control::api
