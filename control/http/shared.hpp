// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <list>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "control/http/server.hpp"

namespace control::http {

// A connection, as those know it who only count or close it.
class AnyConnection {
 public:
  AnyConnection() = default;
  AnyConnection(const AnyConnection&) = delete;
  AnyConnection& operator=(const AnyConnection&) = delete;
  virtual ~AnyConnection() = default;
  virtual void close() = 0;
};

class Acceptors;

// What all connections of a Server share. Each holds it, so that it lives until the last has ended.
class Server::Shared : public std::enable_shared_from_this<Server::Shared> {
 public:
  using IdleList = std::list<AnyConnection*>;

  Shared(boost::asio::io_context& control_thread, api::Api& served, const Limits& allowed,
         Log complain)
      : control(control_thread), api(served), limits(allowed), log(std::move(complain)) {}

  // Runs what may wait for the disk, elsewhere than on the control thread, in the order of the
  // calls.
  void on_disk_thread(auto&& what) {
    if (is_ending) return;
    if (!disk) disk.emplace(1);
    boost::asio::post(*disk, std::forward<decltype(what)>(what));
  }

  boost::asio::io_context& control;
  api::Api& api;
  Limits limits;
  Log log;
  std::optional<boost::asio::ssl::context> tls;
  std::size_t receiving_bytes = 0;
  // Those that wait for their client (a handshake, a request, its body, its end), the longest
  // first.
  IdleList idle;
  // All of them.
  std::list<AnyConnection*> all;
  bool is_ending = false;
  std::optional<boost::asio::thread_pool> disk;  // one thread, from when it is needed first
  std::vector<std::shared_ptr<Acceptors>> acceptors;
};

// Each starts a connection, which owns itself.
void serve(std::shared_ptr<Server::Shared> shared, boost::asio::ip::tcp::socket&& socket);
void serve_tls(std::shared_ptr<Server::Shared> shared, boost::asio::ip::tcp::socket&& socket);
void serve(std::shared_ptr<Server::Shared> shared,
           boost::asio::local::stream_protocol::socket&& socket);

}  // namespace control::http
