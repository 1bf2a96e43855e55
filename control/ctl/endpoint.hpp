// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>

// Where the API is, and what it is shown. Pure functions.
namespace control::ctl {

struct Endpoint {
  enum class Scheme : std::uint8_t { http, https, unix_socket };

  Scheme scheme = Scheme::http;
  std::string host;  // a name, or an address without brackets
  std::string port;  // digits
  // Of a URL: what stands before /steer/v1 and /accounts, mostly nothing; of a socket: its path.
  std::string path;

  // What is sent there leaves this host in the clear.
  [[nodiscard]] bool is_exposed() const noexcept;

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// "http://HOST[:PORT][/PATH]", "https://...", "unix:PATH". A path that ends in /client/v4, as the
// other clients of the API have it, is taken without that. The error says what is wrong.
[[nodiscard]] std::expected<Endpoint, std::string> parse_endpoint(std::string_view text);
// As it is given.
[[nodiscard]] std::string to_string(const Endpoint& endpoint);

// What the command line says of it; empty: nothing.
struct Given {
  std::string api = {};
  std::string token_file = {};
  std::string ca = {};
  std::string account = {};
};

struct Access {
  Endpoint endpoint;
  std::string token;    // empty: none is sent
  std::string ca;       // file (PEM) of those who may have signed; empty: the system's
  std::string account;  // empty: none is known
};

// A variable of the environment; null: it is not set.
using Environment = std::function<const char*(const char*)>;

// The command line counts, then STEER_API and STEER_TOKEN, then CLOUDFLARE_BASE_URL and
// CLOUDFLARE_API_TOKEN, then http://127.0.0.1:8642. A token of CLOUDFLARE_API_TOKEN goes nowhere
// but to CLOUDFLARE_BASE_URL, one of the environment never to a Unix socket, which needs none, and
// none in the clear beyond this host. The error says what is wrong, and where it was given.
[[nodiscard]] std::expected<Access, std::string> access_of(const Given& given,
                                                           const Environment& environment);

}  // namespace control::ctl
