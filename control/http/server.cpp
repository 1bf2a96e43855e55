// SPDX-License-Identifier: BSD-3-Clause
#include "control/http/server.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <utility>

#include "control/http/shared.hpp"

namespace control::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Local = asio::local::stream_protocol;
using Error = boost::system::error_code;

constexpr std::chrono::milliseconds kPause{100};
// Beyond connections_max, so that whoever is on TCP does not keep out who runs this host.
constexpr std::size_t kUnixConnections = 64;

std::string text_of(const Endpoint& endpoint) {
  return endpoint.path.empty() ? fmt::format("{} port {}", endpoint.address, endpoint.port)
                               : endpoint.path.string();
}

[[noreturn]] void fail(const Endpoint& endpoint, const Error& error) {
  throw ServerError(
      fmt::format("api: cannot listen on {}: {}", text_of(endpoint), error.message()));
}

asio::ssl::context context_of(const TlsFiles& files) {
  asio::ssl::context context(asio::ssl::context::tls_server);
  context.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                      asio::ssl::context::no_tlsv1_1);
  Error error;
  if (context.use_certificate_chain_file(files.certificate.string(), error))
    throw ServerError(
        fmt::format("api: certificate {}: {}", files.certificate.string(), error.message()));
  if (context.use_private_key_file(files.key.string(), asio::ssl::context::pem, error))
    throw ServerError(fmt::format("api: key {}: {}", files.key.string(), error.message()));
  return context;
}

}  // namespace

bool Endpoint::is_local() const {
  return !path.empty() || asio::ip::make_address(address).is_loopback();
}

// One that listens.
class Acceptors {
 public:
  Acceptors() = default;
  Acceptors(const Acceptors&) = delete;
  Acceptors& operator=(const Acceptors&) = delete;
  virtual ~Acceptors() = default;
  virtual void close() = 0;
  [[nodiscard]] virtual Endpoint endpoint() const = 0;
};

namespace {

template <class Protocol>
class Acceptor final : public Acceptors, public std::enable_shared_from_this<Acceptor<Protocol>> {
 public:
  Acceptor(const std::shared_ptr<Server::Shared>& shared, Endpoint where,
           const typename Protocol::endpoint& at)
      : shared_(shared),
        where_(std::move(where)),
        acceptor_(shared->control),
        pause_(shared->control) {
    Error error;
    acceptor_.open(at.protocol(), error);
    if (error) fail(where_, error);
    if constexpr (std::is_same_v<Protocol, tcp>) {
      acceptor_.set_option(asio::socket_base::reuse_address(true), error);
      if (at.address().is_v6()) acceptor_.set_option(asio::ip::v6_only(true), error);
      acceptor_.bind(at, error);
    } else {
      std::error_code ignored;
      // Left by an instance that is dead: there is one of a name only.
      if (std::filesystem::is_socket(where_.path, ignored))
        std::filesystem::remove(where_.path, ignored);
      // For the owner alone from the first moment.
      const mode_t before = umask(0177);
      acceptor_.bind(at, error);
      umask(before);
    }
    if (error) fail(where_, error);
    acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) fail(where_, error);
    if constexpr (std::is_same_v<Protocol, tcp>) where_.port = acceptor_.local_endpoint().port();
  }

  void accept() {
    const auto shared = shared_.lock();
    if (!shared || shared->is_ending) return;
    if (shared->all.size() >= connections_max(*shared))
      return try_after(make_room(*shared) ? std::chrono::milliseconds(0) : kPause);
    acceptor_.async_accept(
        [self = this->shared_from_this()](const Error& error, typename Protocol::socket socket) {
          if (error == asio::error::operation_aborted) return;
          if (error) return self->recover();  // out of descriptors
          self->serve_one(std::move(socket));
          self->accept();
        });
  }

  void close() override {
    Error ignored;
    acceptor_.close(ignored);
    pause_.cancel();
    if (where_.path.empty()) return;
    std::error_code also_ignored;
    std::filesystem::remove(where_.path, also_ignored);
  }
  [[nodiscard]] Endpoint endpoint() const override { return where_; }

 private:
  static std::size_t connections_max(const Server::Shared& shared) {
    constexpr bool kIsUnix = std::is_same_v<Protocol, Local>;
    return shared.limits.connections_max + (kIsUnix ? kUnixConnections : 0);
  }
  // Whoever has waited the longest goes; its end is a callback of its own. False: nobody waits.
  static bool make_room(const Server::Shared& shared) {
    if (shared.idle.empty()) return false;
    shared.idle.front()->close();
    return true;
  }
  void recover() {
    const auto shared = shared_.lock();
    if (!shared) return;
    make_room(*shared);
    try_after(kPause);
  }
  void try_after(std::chrono::milliseconds pause) {
    pause_.expires_after(pause);
    pause_.async_wait([self = this->shared_from_this()](const Error& error) {
      if (!error) self->accept();
    });
  }

  void serve_one(typename Protocol::socket&& socket) {
    auto shared = shared_.lock();
    if (!shared) return;
    if constexpr (std::is_same_v<Protocol, tcp>) {
      Error ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      if (shared->tls) return serve_tls(std::move(shared), std::move(socket));
    }
    serve(std::move(shared), std::move(socket));
  }

  std::weak_ptr<Server::Shared> shared_;
  Endpoint where_;
  typename Protocol::acceptor acceptor_;
  asio::steady_timer pause_;
};

template <class Protocol>
std::shared_ptr<Acceptors> listen(const std::shared_ptr<Server::Shared>& shared,
                                  const Endpoint& endpoint, const typename Protocol::endpoint& at) {
  auto acceptor = std::make_shared<Acceptor<Protocol>>(shared, endpoint, at);
  acceptor->accept();
  return acceptor;
}

}  // namespace

Server::Server(asio::io_context& control, api::Api& api, const std::vector<Endpoint>& endpoints,
               const TlsFiles& tls, const Limits& limits, Log log)
    : shared_(std::make_shared<Shared>(control, api, limits, std::move(log))) {
  if (!tls.certificate.empty()) shared_->tls.emplace(context_of(tls));
  for (const Endpoint& endpoint : endpoints) {
    if (!endpoint.path.empty()) {
      // sun_path has room for 107.
      constexpr std::size_t kPathBytesMax = 107;
      if (endpoint.path.string().size() > kPathBytesMax)
        throw ServerError(
            fmt::format("api: {} is longer than the {} bytes that a socket's path has",
                        endpoint.path.string(), kPathBytesMax));
      shared_->acceptors.push_back(
          listen<Local>(shared_, endpoint, Local::endpoint(endpoint.path.string())));
      continue;
    }
    Error error;
    const auto address = asio::ip::make_address(endpoint.address, error);
    if (error) fail(endpoint, error);
    if (!address.is_loopback() && !shared_->tls)
      throw ServerError(fmt::format(
          "api: {} is not loopback: listening there needs TLS; give a certificate and its key",
          text_of(endpoint)));
    shared_->acceptors.push_back(listen<tcp>(shared_, endpoint, {address, endpoint.port}));
  }
}

Server::~Server() {
  shared_->is_ending = true;
  for (const auto& acceptor : shared_->acceptors) acceptor->close();
  shared_->acceptors.clear();
  for (AnyConnection* const connection : shared_->all) connection->close();
  // While there is still a control thread to be told.
  shared_->disk.reset();
}

std::vector<Endpoint> Server::endpoints() const {
  std::vector<Endpoint> all;
  for (const auto& acceptor : shared_->acceptors) all.push_back(acceptor->endpoint());
  return all;
}

std::size_t Server::connections() const {
  return shared_->all.size();
}

}  // namespace control::http
