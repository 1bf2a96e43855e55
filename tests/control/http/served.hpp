// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <string>
#include <thread>

#include "control/http/server.hpp"
#include "tests/control/api/harness.hpp"

namespace http_test {

using namespace api_test;

// A client that sends what it is told, byte for byte, and waits at most ten seconds.
class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connect_to(reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
  explicit Client(const std::string& path) : socket_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    path.copy(to.sun_path, sizeof to.sun_path - 1);
    connect_to(reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
  ~Client() { close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  [[nodiscard]] bool is_connected() const { return is_connected_; }
  void send(const std::string& bytes) const {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t now = ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (now <= 0) return;
      sent += static_cast<std::size_t>(now);
    }
  }
  // One response, head and body; empty: the connection ended before.
  std::string receive() {
    for (;;) {
      const std::size_t end = unread_.find("\r\n\r\n");
      if (end != std::string::npos) {
        std::size_t length = 0;
        const std::size_t field = unread_.find("Content-Length: ");
        if (field < end) length = std::stoul(unread_.substr(field + 16));
        const std::size_t whole = end + 4 + length;
        if (unread_.size() >= whole) {
          const std::string response = unread_.substr(0, whole);
          unread_.erase(0, whole);
          return response;
        }
      }
      if (!read_more()) return "";
    }
  }
  // The server ends the connection.
  bool is_ended() {
    while (read_more()) unread_.clear();
    return has_ended_;
  }
  std::string ask(const std::string& bytes) {
    send(bytes);
    return receive();
  }

 private:
  void connect_to(const sockaddr* to, socklen_t size) {
    const timeval limit{.tv_sec = 10, .tv_usec = 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    is_connected_ = connect(socket_, to, size) == 0;
  }
  bool read_more() {
    char some[65536];
    const ssize_t count = recv(socket_, some, sizeof some, 0);
    has_ended_ = count == 0 || (count < 0 && errno == ECONNRESET);
    if (count <= 0) return false;
    unread_.append(some, static_cast<std::size_t>(count));
    return true;
  }

  int socket_;
  bool is_connected_ = false;
  bool has_ended_ = false;
  std::string unread_;
};

// The API, served by a control thread of its own; the data plane passes at once.
class HttpTest : public ApiTest {
 public:
  ~HttpTest() override { stop_serving(); }

 protected:
  void serve() {
    const std::vector<control::http::Endpoint> at{
        {.address = "127.0.0.1", .port = 0, .path = {}},
        {.address = {}, .port = 0, .path = scratch_ / "api.sock"}};
    std::promise<void> listening;
    thread_ = std::thread([&] {
      stop();
      start_on(control_);
      control::http::Server server(control_, *api_, at, tls_, limits_, [](const std::string&) {});
      port_ = server.endpoints()[0].port;
      server_ = &server;
      const auto guard = boost::asio::make_work_guard(control_);
      listening.set_value();
      control_.run();
      server_ = nullptr;
    });
    listening.get_future().wait();
  }
  void stop_serving() {
    if (!thread_.joinable()) return;
    control_.stop();
    thread_.join();
    api_.reset();
  }
  // Evaluated on the control thread.
  template <class What>
  auto on_control(What what) {
    std::packaged_task<decltype(what())()> task(std::move(what));
    auto result = task.get_future();
    boost::asio::post(control_, [&] { task(); });
    return result.get();
  }

  static std::string request(const std::string& method, const std::string& target,
                             const std::string& body = "", const std::string& fields = "") {
    return method + " " + target + " HTTP/1.1\r\nHost: steer\r\nAuthorization: Bearer " + kWriter +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + fields + "\r\n" + body;
  }
  static unsigned status_of(const std::string& response) {
    return response.size() < 12 ? 0U : static_cast<unsigned>(std::stoul(response.substr(9, 3)));
  }
  static json body_of(const std::string& response) {
    return json::parse(response.substr(response.find("\r\n\r\n") + 4));
  }

  control::http::TlsFiles tls_;
  control::http::Limits limits_;
  std::uint16_t port_ = 0;
  control::http::Server* server_ = nullptr;

 private:
  void start_on(boost::asio::io_context& control) {
    to_control_ = [&control, this](std::function<void()> what) {
      boost::asio::post(control, [this, what = std::move(what)] {
        what();
        if (api_) api_->set_active(steering_.published);
      });
    };
    start();
  }

  boost::asio::io_context control_{1};
  std::thread thread_;
};

}  // namespace http_test
