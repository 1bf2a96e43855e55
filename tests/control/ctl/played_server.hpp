// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace ctl_test {

// What a client sent.
struct Asked {
  std::string method;
  std::string target;
  std::map<std::string, std::string> fields;  // names in lower case
  std::string body;
};

struct Answer {
  unsigned status = 200;
  std::string body = {};
  bool ends = false;     // the connection, behind the answer
  bool is_cut = false;   // half of the body, then the end
  bool is_none = false;  // the end, without an answer
};

// An HTTP server that gives the answers it was told, one after another, to one connection at a
// time, and notes what it was asked.
class PlayedServer {
 public:
  explicit PlayedServer(std::deque<Answer> answers) : answers_(std::move(answers)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&at), size) != 0 || listen(listener_, 8) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size) != 0)
      throw std::runtime_error("the played server cannot listen");
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~PlayedServer() {
    is_ending_ = true;
    shutdown(listener_, SHUT_RDWR);
    if (const int connection = connection_; connection >= 0) shutdown(connection, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  PlayedServer(const PlayedServer&) = delete;
  PlayedServer& operator=(const PlayedServer&) = delete;

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::vector<Asked> asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  [[nodiscard]] int connections() const { return connections_; }

 private:
  void serve() {
    for (;;) {
      const int connection = accept(listener_, nullptr, nullptr);
      if (connection < 0) return;
      connection_ = connection;
      ++connections_;
      if (!is_ending_) talk(connection);
      connection_ = -1;
      close(connection);
    }
  }

  void talk(int connection) {
    std::string unread;
    Asked request;
    while (receive(connection, unread, request)) {
      Answer answer{.status = 500, .body = "no more answers were given to the test's server"};
      {
        const std::lock_guard lock(mutex_);
        asked_.push_back(request);
        if (!answers_.empty()) {
          answer = std::move(answers_.front());
          answers_.pop_front();
        }
      }
      if (answer.is_none) return;
      std::string text = "HTTP/1.1 " + std::to_string(answer.status) +
                         " X\r\nContent-Length: " + std::to_string(answer.body.size()) +
                         "\r\n\r\n" + answer.body;
      if (answer.is_cut) text.resize(text.size() - answer.body.size() / 2);
      std::size_t sent = 0;
      while (sent < text.size()) {
        const ssize_t now = send(connection, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
        if (now <= 0) return;
        sent += static_cast<std::size_t>(now);
      }
      if (answer.ends || answer.is_cut) return;
    }
  }

  static bool receive(int connection, std::string& unread, Asked& request) {
    std::size_t head = 0;
    while ((head = unread.find("\r\n\r\n")) == std::string::npos)
      if (!read_more(connection, unread)) return false;
    request = parsed(unread.substr(0, head + 2));
    unread.erase(0, head + 4);
    const auto length = request.fields.find("content-length");
    const std::size_t bytes = length == request.fields.end() ? 0 : std::stoul(length->second);
    while (unread.size() < bytes)
      if (!read_more(connection, unread)) return false;
    request.body = unread.substr(0, bytes);
    unread.erase(0, bytes);
    return true;
  }

  static bool read_more(int connection, std::string& unread) {
    char some[65536];
    const ssize_t count = recv(connection, some, sizeof some, 0);
    if (count <= 0) return false;
    unread.append(some, static_cast<std::size_t>(count));
    return true;
  }

  static Asked parsed(std::string head) {
    Asked request;
    request.method = head.substr(0, head.find(' '));
    head.erase(0, request.method.size() + 1);
    request.target = head.substr(0, head.find(' '));
    head.erase(0, head.find("\r\n") + 2);
    for (std::size_t end = 0; (end = head.find("\r\n")) != std::string::npos;
         head.erase(0, end + 2)) {
      const std::size_t colon = head.find(": ");
      std::string name = head.substr(0, colon);
      std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
      request.fields[name] = head.substr(colon + 2, end - colon - 2);
    }
    return request;
  }

  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connection_{-1};
  std::atomic<int> connections_{0};
  std::atomic<bool> is_ending_{false};
  mutable std::mutex mutex_;
  std::deque<Answer> answers_;  // under mutex_
  std::vector<Asked> asked_;    // under mutex_
  std::thread thread_;
};

}  // namespace ctl_test
