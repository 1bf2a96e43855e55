// SPDX-License-Identifier: BSD-3-Clause
//
// A multitude of requests that are wrong in some way, over sockets: each is refused, and neither
// the state nor the memory in use is another one afterwards.
#include <fmt/format.h>
#include <malloc.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>

#include "tests/control/http/served.hpp"
#include "tests/support/seed.hpp"

namespace {

using namespace http_test;

constexpr const char* kCountVariable = "STEER_TEST_REQUESTS";
constexpr std::size_t kCount = 20'000;

// Of the heap, in all arenas. What a request of the first rounds allocates for good (a buffer, a
// cache) is there when it is measured first.
std::size_t bytes_in_use() {
  return mallinfo2().uordblks + mallinfo2().hblkhd;
}

std::size_t wanted_count() {
  const char* const set = std::getenv(kCountVariable);
  if (set == nullptr) return kCount;
  std::size_t count = 0;
  const std::string_view text = set;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || end != text.data() + text.size() || count < 1000)
    throw std::invalid_argument(fmt::format("{} must be a number from 1000", kCountVariable));
  return count;
}

class Malformed : public HttpTest {
 protected:
  unsigned below(unsigned count) { return support::random_below(random_, count); }
  char byte() { return static_cast<char>(below(256)); }

  // Wrong in two ways at least, so that changing a few bytes does not make it right.
  std::string wrong_body() {
    if (below(100) == 0) return std::string(1'100'000, ' ');
    std::string body;
    switch (below(7)) {
      case 0:
        body = binding_body("198.51.100.1/32", "00000000000000000000000000000000");
        break;
      case 1:
        body = R"({"cidr": 7, "service_id": ["x"]})";
        break;
      case 2:
        return std::string(below(60) + 33, '[');
      case 3:
        return R"({"cidr": "203.0.113.9/32", "cidr": "203.0.113.9/33", "service_id": "\ud800"})";
      case 4:
        return binding_body("203.0.113.9/24", kMagicTransit);
      case 5:
        return binding_body("203.0.113.9/32", kCdn).substr(0, 20 + below(40));
      default:
        for (unsigned i = below(300); i-- > 0;) body += byte();
        return "x" + body;
    }
    for (unsigned i = below(4); i-- > 0;) body[below(static_cast<unsigned>(body.size()))] = byte();
    return body;
  }

  std::string wrong_target() {
    switch (below(5)) {
      case 0:
        return prefixes() + "/" + std::string(32, '0') + "/bindings";
      case 1:
        return prefixes() + "/../" + prefix_ + "/bindings";
      case 2:
        return prefixes() + "?limit=%zz";
      case 3:
        return std::string("/client/v4/accounts/another/addressing/prefixes");
      default:
        return "/" + std::string(below(6000), 'a');
    }
  }

  // Of a connection that goes on.
  std::string wrong_request() {
    switch (below(4)) {
      case 0:
        return request("DELETE", prefixes());
      case 1:
        return request("DELETE", wrong_target());
      case 2:
        return request("POST", wrong_target(), wrong_body());
      default:
        return request("POST", bindings(prefix_), wrong_body());
    }
  }

  // What ends a connection, or leaves it half way. `is_answered`: whether a response must come.
  std::string wrong_bytes(bool& is_answered) {
    const std::string good = request("DELETE", bindings(prefix_) + "/" + binding_);
    is_answered = true;
    switch (below(7)) {
      case 0:
        return "DELETE " + bindings(prefix_) + "/" + binding_ + " HTTP/1.1\r\n\r\n";
      case 1:
        return request("DELETE", bindings(prefix_) + "/" + binding_, "", "Host: other\r\n");
      case 2:
        return request("DELETE", bindings(prefix_) + "/" + binding_, "",
                       "Transfer-Encoding: gzip\r\n");
      case 3:
        return request("GET", prefixes(), "", "X: " + std::string(17'000, 'x') + "\r\n");
      case 4:
        return request("DELETE", bindings(prefix_) + "/" + binding_, "",
                       "Content-Length: " + std::to_string(below(100)) + "\r\n");
      case 5:
        is_answered = false;
        return good.substr(0, below(static_cast<unsigned>(good.size())));
      default: {
        is_answered = false;
        std::string noise(1, static_cast<char>(below(32)));
        for (unsigned i = below(400); i-- > 0;) noise += byte();
        return noise;
      }
    }
  }

  void expect_refused(const std::string& sent, const std::string& response) {
    const unsigned status = status_of(response);
    ++statuses_[status];
    EXPECT_TRUE(status >= 400 && status < 500)
        << sent.substr(0, 500) << "\n-> " << response.substr(0, 500);
  }

  void send_one() {
    if (below(4) != 0) {
      if (!kept_) kept_ = std::make_unique<Client>(port_);
      const std::string sent = wrong_request();
      const std::string response = kept_->ask(sent);
      expect_refused(sent, response);
      if (response.find("Connection: close\r\n") != std::string::npos) kept_.reset();
      return;
    }
    bool is_answered = false;
    const std::string sent = wrong_bytes(is_answered);
    Client client(port_);
    client.send(sent);
    if (is_answered)
      expect_refused(sent, client.receive());
    else
      ++statuses_[0];
  }

  // All that can be seen of the state.
  std::string seen() {
    Client local((scratch_ / "api.sock").string());
    std::string all;
    for (const std::string& target :
         {prefixes(), bindings(prefix_), std::string("/steer/v1/status"),
          std::string("/steer/v1/tokens"), std::string("/steer/v1/history")}) {
      const std::string response = local.ask("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n");
      EXPECT_EQ(status_of(response), 200U);
      all += response;
    }
    return all;
  }

  // Until every connection that was left has been ended.
  std::size_t settled_bytes() {
    kept_.reset();
    for (int i = 0; i < 2000 && on_control([&] { return server_->connections(); }) != 0; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_EQ(on_control([&] { return server_->connections(); }), 0U);
    return bytes_in_use();
  }

  std::mt19937_64 random_ = support::seeded_random();
  std::string prefix_;
  std::string binding_;
  std::unique_ptr<Client> kept_;
  std::map<unsigned, std::size_t> statuses_;
};

TEST_F(Malformed, RequestsLeaveStateAndMemoryAsTheyWere) {
  prefix_ = make_prefix("203.0.113.0/24");
  make_binding(prefix_, "203.0.113.0/24", kMagicTransit);
  binding_ = make_binding(prefix_, "203.0.113.1/32", kCdn);
  serve();
  const std::size_t count = wanted_count();
  for (std::size_t i = 0; i < count / 10; ++i) send_one();
  const std::string before = seen();
  const std::uint64_t published = on_control([&] { return steering_.publications; });
  const std::size_t bytes_before = settled_bytes();
  for (std::size_t i = count / 10; i < count && !HasFailure(); ++i) send_one();
  const std::size_t bytes_after = settled_bytes();
  std::printf("%zu requests; heap in use before %zu, after %zu bytes;", count, bytes_before,
              bytes_after);
  for (const auto& [status, times] : statuses_) std::printf(" %u: %zu", status, times);
  std::printf("\n");
  EXPECT_EQ(seen(), before);
  EXPECT_EQ(on_control([&] { return steering_.publications; }), published);
  // Less than a byte for ten requests, beyond what lists and maps keep in reserve.
  EXPECT_LT(bytes_after, bytes_before + 65'536 + count / 10);
  for (const unsigned status : {400U, 404U, 405U, 413U, 431U})
    EXPECT_GT(statuses_[status], 0U) << "no request was refused with " << status;
  stop_serving();
  expect_store_equals_table();
}

}  // namespace
