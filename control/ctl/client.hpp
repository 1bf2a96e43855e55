// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/ctl/endpoint.hpp"

namespace control::ctl {

struct Request {
  std::string method;  // "GET"
  std::string target;  // path and query, behind the endpoint's path
  std::string_view body = {};
  std::vector<std::pair<std::string, std::string>> fields = {};  // beside those of every request
};

struct Reply {
  unsigned status = 0;
  std::string body;  // empty where a sink took it
};

// Why there is no reply; one line.
struct Trouble {
  bool is_connected = false;  // it came so far: the request may have been carried out
  std::string message;
};

// Is given a body piece by piece; false: it wants no more, which ends the connection.
using Sink = std::function<bool(std::string_view)>;

// A client of HTTP/1.1, one request after another: by TCP, TLS or a Unix socket. The connection is
// made when it is first needed, and kept.
//
// Not thread safe. A call takes at most about `patience` for each step: the connection, what is
// sent, each piece of what is received.
class Client {
 public:
  explicit Client(const Access& access,
                  std::chrono::milliseconds patience = std::chrono::seconds(60));
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  [[nodiscard]] std::expected<Reply, Trouble> ask(const Request& request);
  // The body of a reply below 300 goes to `sink`.
  [[nodiscard]] std::expected<Reply, Trouble> ask(const Request& request, const Sink& sink);

 private:
  class Connection;

  Access access_;
  std::chrono::milliseconds patience_;
  std::unique_ptr<Connection> connection_;  // null: none is open
};

}  // namespace control::ctl
