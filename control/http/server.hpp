// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "control/api/api.hpp"

namespace control::http {

// Where to listen: an address and port of TCP, or a path for a Unix socket.
struct Endpoint {
  std::string address;  // of this host, numeric
  std::uint16_t port = 0;
  std::filesystem::path path;  // not empty: a Unix socket

  // Only processes of this host can connect.
  [[nodiscard]] bool is_local() const;
};

// Files in PEM. Without a certificate there is no TLS.
struct TlsFiles {
  std::filesystem::path certificate;  // chain
  std::filesystem::path key;
};

struct Limits {
  std::size_t connections_max = 8192;  // the Unix socket has 64 more
  std::size_t header_bytes_max = std::size_t{16} << 10;
  // For a request's header to come, its body, or its response to be taken.
  std::chrono::milliseconds idle_time{60'000};
  // Of all bodies that are being received.
  std::size_t receiving_bytes_max = std::size_t{512} << 20;
};

// What keeps it from listening; one line.
class ServerError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The API over HTTP/1.1, on one io_context in whose thread everything runs by callbacks.
// Connections are kept alive; where there are too many, the one that has been idle the longest
// gives way.
//
// Over TCP, TLS is used on every address where there is a certificate, and none beyond loopback is
// listened on without.
class Server {
 public:
  using Log = std::function<void(const std::string&)>;

  // Listens. Throws ServerError. api outlives this.
  Server(boost::asio::io_context& control, api::Api& api, const std::vector<Endpoint>& endpoints,
         const TlsFiles& tls, const Limits& limits, Log log);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Where it listens, ports chosen by the kernel filled in. In the order of `endpoints`.
  [[nodiscard]] std::vector<Endpoint> endpoints() const;
  [[nodiscard]] std::size_t connections() const;

  // What connections share: shared.hpp.
  class Shared;

 private:
  std::shared_ptr<Shared> shared_;
};

}  // namespace control::http
