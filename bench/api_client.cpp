// SPDX-License-Identifier: BSD-3-Clause
//
// api_client PORT TOKEN ACCOUNT fill PREFIXES HOSTS       onboards and binds, from 50 connections
// api_client PORT TOKEN ACCOUNT latency CHANGES <IDS      one change after another, each until it
// is active api_client PORT TOKEN ACCOUNT load CLIENTS SECONDS <IDS changes from many connections
// at once
//
// IDS: the ids of prefixes that `fill` has made, in their order. Prints JSON; times in nanoseconds
// of CLOCK_MONOTONIC.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

constexpr const char* kMagicTransit = "6d0c1f27a35e4e2b9b7c4f5a8e913d70";
constexpr const char* kCdn = "b2f9c84e17d04a6c8e35a90d61c7f248";
constexpr unsigned kFillers = 50;
// `fill` binds hosts from 0; these are for changes.
constexpr unsigned kFirstFreeHost = 250;

std::uint64_t now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(time.tv_nsec);
}

std::string prefix(unsigned number) {
  return fmt::format("10.{}.{}.0/24", number >> 8, number & 0xff);
}
std::string host(unsigned number, unsigned of) {
  return fmt::format("10.{}.{}.{}/32", number >> 8, number & 0xff, of);
}

struct Target {
  std::uint16_t port;
  std::string token;
  std::string account;
};

// One connection, one request after another. Throws std::runtime_error.
class Connection {
 public:
  explicit Connection(const Target& target)
      : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        prefixes_("/accounts/" + target.account + "/addressing/prefixes"),
        fields_(" HTTP/1.1\r\nHost: steer\r\nX-Steer-Allow: mass-change\r\nAuthorization: Bearer " +
                target.token + "\r\n") {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(target.port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
      throw std::runtime_error("cannot connect");
  }
  ~Connection() { close(socket_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // The body of a reply with this status; any other throws.
  std::string ask(const char* method, const std::string& path, const std::string& body,
                  unsigned status) {
    const std::string request = fmt::format("{} {}{}{}Content-Length: {}\r\n\r\n{}", method,
                                            prefixes_, path, fields_, body.size(), body);
    std::size_t sent = 0;
    while (sent < request.size()) {
      const ssize_t count =
          send(socket_, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) throw std::runtime_error("the connection is lost");
      sent += static_cast<std::size_t>(count);
    }
    const std::string reply = receive();
    if (reply.size() < 12 || std::stoul(reply.substr(9, 3)) != status)
      throw std::runtime_error(fmt::format("{} {}: {}", method, path, reply));
    return reply.substr(reply.find("\r\n\r\n") + 4);
  }

  std::string create_prefix(unsigned number) {
    return id_in(
        ask("POST", "", fmt::format(R"({{"cidr":"{}","asn":64500}})", prefix(number)), 201));
  }
  std::string bind(const std::string& of, const std::string& cidr, const char* service) {
    return id_in(ask("POST", "/" + of + "/bindings",
                     fmt::format(R"({{"cidr":"{}","service_id":"{}"}})", cidr, service), 201));
  }
  [[nodiscard]] bool is_active(const std::string& of, const std::string& id) {
    return ask("GET", "/" + of + "/bindings/" + id, "", 200).find("\"active\"") !=
           std::string::npos;
  }
  // Answered when it is no longer in force.
  void unbind(const std::string& of, const std::string& id) {
    ask("DELETE", "/" + of + "/bindings/" + id, "", 200);
  }

 private:
  std::string receive() {
    for (;;) {
      const std::size_t end = unread_.find("\r\n\r\n");
      if (end != std::string::npos) {
        const std::size_t field = unread_.find("Content-Length: ");
        const std::size_t whole = end + 4 + std::stoul(unread_.substr(field + 16));
        if (unread_.size() >= whole) {
          std::string reply = unread_.substr(0, whole);
          unread_.erase(0, whole);
          return reply;
        }
      }
      char some[16384];
      const ssize_t count = recv(socket_, some, sizeof some, 0);
      if (count <= 0) throw std::runtime_error("the connection is lost");
      unread_.append(some, static_cast<std::size_t>(count));
    }
  }
  static std::string id_in(const std::string& body) {
    constexpr std::string_view kBefore = R"("result":{"id":")";
    const std::size_t at = body.find(kBefore);
    if (at == std::string::npos) throw std::runtime_error("no id in " + body);
    return body.substr(at + kBefore.size(), 32);
  }

  int socket_;
  std::string prefixes_;
  std::string fields_;
  std::string unread_;
};

// Runs `work(number)` in threads; throws what the first that failed threw.
template <class Work>
void in_threads(unsigned count, const Work& work) {
  std::mutex mutex;
  std::exception_ptr failure;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < count; ++i)
    threads.emplace_back([&, i] {
      try {
        work(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        failure = std::current_exception();
      }
    });
  for (std::thread& thread : threads) thread.join();
  if (failure) std::rethrow_exception(failure);
}

std::vector<std::string> ids() {
  std::vector<std::string> all;
  for (std::string line; std::getline(std::cin, line);) all.push_back(line);
  if (all.empty()) throw std::runtime_error("no ids of prefixes on standard input");
  return all;
}

void fill(const Target& target, unsigned prefixes, unsigned hosts) {
  const std::uint64_t began = now();
  in_threads(kFillers, [&](unsigned filler) {
    Connection connection(target);
    for (unsigned number = filler; number < prefixes; number += kFillers) {
      const std::string id = connection.create_prefix(number);
      connection.bind(id, prefix(number), kMagicTransit);
      for (unsigned i = 0; i < hosts; ++i) connection.bind(id, host(number, i), kCdn);
    }
  });
  fmt::print("{{\"seconds\":{},\"bindings\":{}}}\n", static_cast<double>(now() - began) / 1e9,
             prefixes * (hosts + 1));
}

void latency(const Target& target, unsigned changes) {
  const std::vector<std::string> prefixes = ids();
  Connection connection(target);
  struct Sample {
    std::uint64_t began, replied, active, deleting, deleted;
  };
  std::vector<Sample> samples;
  for (unsigned i = 0; i < changes; ++i) {
    // All over the table.
    const auto number = static_cast<unsigned>(i * std::size_t{7919} % prefixes.size());
    Sample sample{};
    sample.began = now();
    const std::string id = connection.bind(prefixes[number], host(number, kFirstFreeHost), kCdn);
    sample.replied = now();
    while (!connection.is_active(prefixes[number], id)) {
    }
    sample.active = now();
    sample.deleting = now();
    connection.unbind(prefixes[number], id);
    sample.deleted = now();
    samples.push_back(sample);
  }
  fmt::print("[");
  for (const Sample& s : samples)
    fmt::print("{}[{},{},{},{},{}]", &s == samples.data() ? "" : ",", s.began, s.replied, s.active,
               s.deleting, s.deleted);
  fmt::print("]\n");
}

void load(const Target& target, unsigned clients, unsigned seconds) {
  const std::vector<std::string> prefixes = ids();
  std::vector<std::vector<std::uint64_t>> took(clients);
  const std::uint64_t began = now();
  const std::uint64_t end = began + seconds * std::uint64_t{1'000'000'000};
  in_threads(clients, [&](unsigned client) {
    Connection connection(target);
    const auto number = static_cast<unsigned>(client * std::size_t{79} % prefixes.size());
    const std::string& of = prefixes[number];
    const auto timed = [&](const auto& what) {
      const std::uint64_t before = now();
      what();
      took[client].push_back(now() - before);
    };
    while (now() < end) {
      std::string id;
      timed([&] { id = connection.bind(of, host(number, kFirstFreeHost + client % 5), kCdn); });
      timed([&] { connection.unbind(of, id); });
    }
  });
  const double whole = static_cast<double>(now() - began) / 1e9;
  fmt::print("{{\"seconds\":{},\"took\":[", whole);
  bool is_first = true;
  for (const auto& own : took)
    for (const std::uint64_t time : own)
      fmt::print("{}{}", std::exchange(is_first, false) ? "" : ",", time);
  fmt::print("]}}\n");
}

int run(const std::vector<std::string>& words) {
  const auto number = [&](std::size_t at) {
    return static_cast<unsigned>(std::stoul(words.at(at)));
  };
  const Target target{static_cast<std::uint16_t>(number(0)), words.at(1), words.at(2)};
  const std::string& what = words.at(3);
  if (what == "fill")
    fill(target, number(4), number(5));
  else if (what == "latency")
    latency(target, number(4));
  else if (what == "load")
    load(target, number(4), number(5));
  else
    throw std::runtime_error("there is no " + what);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    fmt::print(stderr, "api_client: {}\n", error.what());
    return 1;
  }
}
