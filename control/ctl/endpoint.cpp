// SPDX-License-Identifier: BSD-3-Clause
#include "control/ctl/endpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <utility>

#include "control/quote.hpp"
#include "lpm/address.hpp"

namespace control::ctl {
namespace {

using Scheme = Endpoint::Scheme;

constexpr std::string_view kDefaultApi = "http://127.0.0.1:8642";
constexpr std::string_view kMount = "/client/v4";
constexpr std::size_t kSocketPathBytesMax = 107;
constexpr std::size_t kTokenBytesMax = 4096;

std::unexpected<std::string> wrong(std::string_view text, std::string_view why) {
  return std::unexpected(fmt::format(
      "{}: {}; it must be http://HOST:PORT, https://HOST:PORT or unix:PATH", quoted(text), why));
}

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port >= 1 && port <= 65'535;
}

bool is_visible(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

// HOST, HOST:PORT, [ADDRESS] or [ADDRESS]:PORT, into the endpoint. False: none of these.
bool take_authority(std::string_view authority, Endpoint& endpoint) {
  std::string_view rest;
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) return false;
    endpoint.host = authority.substr(1, end - 1);
    rest = authority.substr(end + 1);
  } else {
    const std::size_t end = std::min(authority.find(':'), authority.size());
    endpoint.host = authority.substr(0, end);
    rest = authority.substr(end);
  }
  if (endpoint.host.empty() || endpoint.host.find_first_of("@?#") != std::string::npos)
    return false;
  if (rest.empty()) {
    endpoint.port = endpoint.scheme == Scheme::https ? "443" : "80";
    return true;
  }
  endpoint.port = rest.substr(1);
  return rest.front() == ':' && is_port(endpoint.port);
}

std::expected<Endpoint, std::string> parse_socket(std::string_view text, std::string_view path) {
  if (path.empty()) return wrong(text, "the path is missing");
  if (path.size() > kSocketPathBytesMax)
    return wrong(text, fmt::format("a socket's path has at most {} bytes", kSocketPathBytesMax));
  return Endpoint{.scheme = Scheme::unix_socket, .host = {}, .port = {}, .path = std::string(path)};
}

struct Source {
  std::string text;
  std::string name;  // for people
};

std::optional<Source> variable(const Environment& environment, const char* name) {
  const char* const value = environment(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return Source{value, name};
}

std::expected<std::string, std::string> token_in(const std::string& path) {
  std::ifstream file(path);
  std::string token;
  if (!file || !std::getline(file, token))
    return std::unexpected(fmt::format("--token-file {}: cannot be read, or is empty", path));
  while (!token.empty() && (token.back() == '\r' || token.back() == ' ')) token.pop_back();
  return token;
}

}  // namespace

bool Endpoint::is_exposed() const noexcept {
  if (scheme != Scheme::http) return false;
  // A name may begin like an address.
  const auto address = lpm::parse_address4(host);
  const bool is_loopback4 = address && address->bits >> 24 == 127;
  return host != "localhost" && host != "::1" && !is_loopback4;
}

std::expected<Endpoint, std::string> parse_endpoint(std::string_view text) {
  if (text.starts_with("unix:")) return parse_socket(text, text.substr(5));
  Endpoint endpoint;
  std::string_view rest = text;
  if (text.starts_with("http://")) {
    rest.remove_prefix(7);
  } else if (text.starts_with("https://")) {
    endpoint.scheme = Scheme::https;
    rest.remove_prefix(8);
  } else {
    return wrong(text, "the scheme is not known");
  }
  if (!is_visible(rest) || rest.find_first_of("?#") != std::string_view::npos)
    return wrong(text, "it has characters that do not belong there");
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  if (!take_authority(rest.substr(0, slash), endpoint))
    return wrong(text, "host or port are wrong");
  std::string_view path = rest.substr(slash);
  while (path.ends_with('/')) path.remove_suffix(1);
  if (path.ends_with(kMount)) path.remove_suffix(kMount.size());
  endpoint.path = path;
  return endpoint;
}

std::string to_string(const Endpoint& endpoint) {
  if (endpoint.scheme == Scheme::unix_socket) return "unix:" + endpoint.path;
  const bool has_colons = endpoint.host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}{}", endpoint.scheme == Scheme::https ? "https" : "http",
                     has_colons ? "[" : "", endpoint.host, has_colons ? "]" : "", endpoint.port,
                     endpoint.path);
}

std::expected<Access, std::string> access_of(const Given& given, const Environment& environment) {
  const auto other_url = variable(environment, "CLOUDFLARE_BASE_URL");
  Source api{std::string(kDefaultApi), "the default"};
  bool is_other = false;
  if (!given.api.empty()) {
    api = {given.api, "--api"};
  } else if (auto own = variable(environment, "STEER_API")) {
    api = std::move(*own);
  } else if (other_url) {
    api = *other_url;
    is_other = true;
  }
  auto endpoint = parse_endpoint(api.text);
  if (!endpoint) return std::unexpected(fmt::format("{}: {}", api.name, endpoint.error()));
  // The same place by another way of naming it.
  if (!is_other && other_url) {
    const auto other = parse_endpoint(other_url->text);
    is_other = other && *other == *endpoint;
  }

  Access access{.endpoint = std::move(*endpoint), .token = {}, .ca = given.ca, .account = {}};
  const bool is_socket = access.endpoint.scheme == Scheme::unix_socket;
  std::string token_from = "--token-file";
  if (!given.token_file.empty()) {
    auto token = token_in(given.token_file);
    if (!token) return std::unexpected(token.error());
    access.token = std::move(*token);
  } else if (!is_socket) {
    auto source = variable(environment, "STEER_TOKEN");
    if (!source && is_other) source = variable(environment, "CLOUDFLARE_API_TOKEN");
    if (source) {
      access.token = std::move(source->text);
      token_from = std::move(source->name);
    }
  }
  if (access.token.size() > kTokenBytesMax || !is_visible(access.token))
    return std::unexpected(token_from + ": this is no token");
  if (!access.token.empty() && access.endpoint.is_exposed())
    return std::unexpected(
        fmt::format("{}: a token is not sent in the clear beyond this host; use https://",
                    to_string(access.endpoint)));
  if (!access.ca.empty() && access.endpoint.scheme != Scheme::https)
    return std::unexpected("--ca is for https:// alone");
  access.account = given.account;
  if (access.account.empty())
    if (auto account = variable(environment, "CLOUDFLARE_ACCOUNT_ID"); account && is_other)
      access.account = std::move(account->text);
  return access;
}

}  // namespace control::ctl
