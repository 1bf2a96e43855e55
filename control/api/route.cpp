// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/route.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "control/quote.hpp"

namespace control::api {
namespace {

constexpr std::array kEndpoints{
    Endpoint{Method::get, "/accounts/{account}/addressing/services", Operation::list_services,
             Right::read},
    Endpoint{Method::get, "/accounts/{account}/addressing/prefixes", Operation::list_prefixes,
             Right::read},
    Endpoint{Method::post, "/accounts/{account}/addressing/prefixes", Operation::create_prefix,
             Right::write},
    Endpoint{Method::get, "/accounts/{account}/addressing/prefixes/{prefix}", Operation::get_prefix,
             Right::read},
    Endpoint{Method::patch, "/accounts/{account}/addressing/prefixes/{prefix}",
             Operation::edit_prefix, Right::write},
    Endpoint{Method::del, "/accounts/{account}/addressing/prefixes/{prefix}",
             Operation::delete_prefix, Right::write},
    Endpoint{Method::get, "/accounts/{account}/addressing/prefixes/{prefix}/bindings",
             Operation::list_bindings, Right::read},
    Endpoint{Method::post, "/accounts/{account}/addressing/prefixes/{prefix}/bindings",
             Operation::create_binding, Right::write},
    Endpoint{Method::get, "/accounts/{account}/addressing/prefixes/{prefix}/bindings/{binding}",
             Operation::get_binding, Right::read},
    Endpoint{Method::del, "/accounts/{account}/addressing/prefixes/{prefix}/bindings/{binding}",
             Operation::delete_binding, Right::write},
    Endpoint{Method::get, "/steer/v1/tokens", Operation::list_tokens, Right::administer},
    Endpoint{Method::post, "/steer/v1/tokens", Operation::create_token, Right::administer},
    Endpoint{Method::del, "/steer/v1/tokens/{token}", Operation::revoke_token, Right::administer},
    Endpoint{Method::get, "/steer/v1/status", Operation::show_status, Right::read},
    Endpoint{Method::get, "/steer/v1/history", Operation::show_history, Right::read},
    Endpoint{Method::post, "/steer/v1/changes", Operation::apply_changes, Right::write},
    Endpoint{Method::post, "/steer/v1/rollback", Operation::roll_back, Right::write},
    Endpoint{Method::get, "/steer/v1/prefixes", Operation::list_all_prefixes, Right::read},
    Endpoint{Method::get, "/steer/v1/bindings", Operation::list_all_bindings, Right::read},
    Endpoint{Method::get, "/steer/v1/explain", Operation::explain_address, Right::read},
    Endpoint{Method::get, "/steer/v1/counters", Operation::show_counters, Right::read},
    Endpoint{Method::get, "/steer/v1/export", Operation::export_state, Right::read},
    Endpoint{Method::put, "/steer/v1/import", Operation::import_state, Right::write},
};

constexpr std::string_view kMount = "/client/v4";
constexpr std::size_t kIdBytesMax = 36;
constexpr std::size_t kTargetBytesMax = 4096;

bool is_id(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kIdBytesMax && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-';
  });
}

// The first segment, which `path` loses; path: begins with a slash.
std::string_view take_segment(std::string_view& path) noexcept {
  const std::size_t end = std::min(path.find('/', 1), path.size());
  const std::string_view segment = path.substr(1, end - 1);
  path.remove_prefix(end);
  return segment;
}

struct Parameter {
  std::string_view name;  // with its braces
  std::string_view value;
};

// What stands for the parameters; nullopt: another path.
std::optional<std::vector<Parameter>> match(std::string_view pattern, std::string_view path) {
  std::vector<Parameter> parameters;
  while (!pattern.empty() && !path.empty()) {
    const std::string_view wanted = take_segment(pattern);
    const std::string_view given = take_segment(path);
    const bool is_parameter = wanted.starts_with('{');
    if (is_parameter ? !is_id(given) : wanted != given) return std::nullopt;
    if (is_parameter) parameters.push_back({wanted, given});
  }
  if (!pattern.empty() || !path.empty()) return std::nullopt;
  return parameters;
}

std::string& slot_of(Route& route, std::string_view name) {
  if (name == "{account}") return route.account;
  if (name == "{prefix}") return route.prefix;
  return name == "{binding}" ? route.binding : route.token;
}

std::string_view path_of(std::string_view target) noexcept {
  std::string_view path = target.substr(0, target.find('?'));
  // Not so for what is ours alone.
  if (path.starts_with(kMount) && path.substr(kMount.size()).starts_with("/accounts/"))
    path.remove_prefix(kMount.size());
  return path;
}

std::optional<unsigned> hex(char c) noexcept {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

// nullopt: a broken percent sign, or a character beyond ASCII.
std::optional<std::string> decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      plain += ' ';
    } else if (text[i] != '%') {
      plain += text[i];
    } else {
      if (i + 2 >= text.size()) return std::nullopt;
      const auto high = hex(text[i + 1]);
      const auto low = hex(text[i + 2]);
      if (!high || !low) return std::nullopt;
      plain += static_cast<char>(*high << 4 | *low);
      i += 2;
    }
  }
  const bool is_ascii =
      std::ranges::all_of(plain, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  return is_ascii ? std::optional(std::move(plain)) : std::nullopt;
}

std::expected<void, Error> read_query(std::string_view target, Route& route) {
  const std::size_t mark = target.find('?');
  if (mark == std::string_view::npos) return {};
  std::string_view rest = target.substr(mark + 1);
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    const std::size_t equals = part.find('=');
    const auto key = decoded(part.substr(0, equals));
    const auto value =
        decoded(equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1));
    if (!key || !value)
      return std::unexpected(
          Error::of(400, Code::malformed_body,
                    "the query has a broken percent sign, or a character beyond ASCII"));
    if (!route.query.try_emplace(*key, *value).second)
      return std::unexpected(
          Error::of(400, Code::malformed_body,
                    fmt::format("the query gives {} more than once", quoted(*key))));
  }
  return {};
}

Error no_such_route(std::string_view target) {
  return Error::of(404, Code::no_such_route,
                   fmt::format("there is no {}", quoted(target.substr(0, target.find('?')))));
}

}  // namespace

std::span<const Endpoint> endpoints() noexcept {
  return kEndpoints;
}

std::string_view name_of(Method method) noexcept {
  switch (method) {
    case Method::get:
      return "GET";
    case Method::post:
      return "POST";
    case Method::patch:
      return "PATCH";
    case Method::put:
      return "PUT";
    case Method::del:
      return "DELETE";
    case Method::other:
      break;
  }
  return "";
}

std::string allowed_methods(std::string_view target) {
  const std::string_view path = path_of(target);
  std::string all;
  for (const Endpoint& endpoint : kEndpoints) {
    if (!match(endpoint.path, path)) continue;
    if (!all.empty()) all += ", ";
    all += name_of(endpoint.method);
  }
  return all;
}

std::expected<Route, Error> route(Method method, std::string_view target) {
  const std::string_view path = path_of(target);
  if (target.size() > kTargetBytesMax || !path.starts_with('/'))
    return std::unexpected(no_such_route(target));
  bool is_known = false;
  for (const Endpoint& endpoint : kEndpoints) {
    const auto parameters = match(endpoint.path, path);
    if (!parameters) continue;
    is_known = true;
    if (endpoint.method != method) continue;
    Route found;
    found.endpoint = &endpoint;
    for (const Parameter& parameter : *parameters) slot_of(found, parameter.name) = parameter.value;
    if (auto done = read_query(target, found); !done) return std::unexpected(done.error());
    return found;
  }
  if (is_known)
    return std::unexpected(Error::of(
        405, Code::method_not_allowed,
        fmt::format("{} has no such method; it has {}", quoted(path), allowed_methods(target))));
  return std::unexpected(no_such_route(target));
}

}  // namespace control::api
