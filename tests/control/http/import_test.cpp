// SPDX-License-Identifier: BSD-3-Clause
//
// PUT /steer/v1/import: bodies that go into a file as they arrive.
#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

#include "tests/control/http/served.hpp"

namespace {

using namespace http_test;
namespace fs = std::filesystem;

constexpr const char* kTarget = "/steer/v1/import";
const std::string kDocument = R"({"prefixes": [{"cidr": "203.0.113.0/24", "service": "cdn"}]})";

class HttpImport : public HttpTest {
 protected:
  static std::string head(const std::string& fields) {
    return fmt::format("PUT {} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\n{}\r\n", kTarget,
                       kWriter, fields);
  }
  static std::string head_for(std::size_t bytes) {
    return head(fmt::format("Content-Length: {}\r\n", bytes));
  }
  std::string import(const std::string& body) {
    return Client(port_).ask(request("PUT", kTarget, body));
  }
  // A document of this many bytes, almost all of them spaces.
  static std::string padded(std::size_t bytes) {
    return std::string(bytes - kDocument.size(), ' ') + kDocument;
  }
  std::size_t prefix_count() {
    return body_of(Client(port_).ask(request("GET", prefixes()))).at("result").size();
  }
  // What goes on elsewhere takes its time.
  static bool comes_true(const std::function<bool()>& what) {
    for (int n = 0; n < 500; ++n) {
      if (what()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
  }
  // Of this process, that have no name any more.
  static std::size_t nameless_files() {
    std::size_t count = 0;
    std::error_code gone;
    for (const auto& entry : fs::directory_iterator("/proc/self/fd"))
      if (fs::read_symlink(entry, gone).string().ends_with("(deleted)")) ++count;
    return count;
  }
  bool is_free() {
    return comes_true([this] { return status_of(import(kDocument)) == 200; });
  }
};

TEST_F(HttpImport, TakesADocumentOfManyPieces) {
  serve();
  // Larger than what is read at once, and not a multiple of it.
  const std::string large = padded(1'234'567);
  Client client(port_);
  client.send(request("PUT", kTarget, large) + request("GET", prefixes()));
  EXPECT_EQ(status_of(client.receive()), 200U);
  EXPECT_EQ(body_of(client.receive()).at("result").size(), 1U)
      << "the next request is not part of it";
  Client chunked(port_);
  std::string pieces = head("Transfer-Encoding: chunked\r\n");
  for (std::size_t at = 0; at < large.size(); at += 10'000)
    pieces += fmt::format("{:x}\r\n{}\r\n", std::min<std::size_t>(10'000, large.size() - at),
                          large.substr(at, 10'000));
  const std::string response = chunked.ask(pieces + "0\r\n\r\n");
  EXPECT_EQ(status_of(response), 200U) << response;
  Client polite(port_);
  polite.send(head(fmt::format("Expect: 100-continue\r\nContent-Length: {}\r\n", large.size())));
  EXPECT_EQ(polite.receive(), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(status_of(polite.ask(large)), 200U);
  EXPECT_EQ(status_of(import("")), 400U);
  EXPECT_TRUE(comes_true([] { return nameless_files() == 0; }));
}

TEST_F(HttpImport, HasALimitOfItsOwn) {
  options_.import_bytes_max = 3'000'000;
  serve();
  EXPECT_EQ(status_of(import(padded(3'000'000))), 200U) << "more than other bodies may have";
  const std::string refused = Client(port_).ask(head_for(3'000'001));
  EXPECT_EQ(status_of(refused), 413U);
  EXPECT_NE(refused.find("at most 3000000 bytes"), std::string::npos) << refused;
  EXPECT_TRUE(is_free());
  Client chunked(port_);
  chunked.send(head("Transfer-Encoding: chunked\r\n") +
               fmt::format("{:x}\r\n{}\r\n0\r\n\r\n", 3'000'001, padded(3'000'001)));
  EXPECT_EQ(status_of(chunked.receive()), 413U);
  EXPECT_TRUE(is_free());
}

TEST_F(HttpImport, AClientThatDiesMidwayLeavesNothing) {
  serve();
  const std::string large = padded(1'000'000);
  {
    Client dying(port_);
    dying.send(head_for(large.size()) + large.substr(0, 600'000));
    ASSERT_TRUE(comes_true([] { return nameless_files() == 1; })) << "it is being received";
  }
  EXPECT_TRUE(comes_true([] { return nameless_files() == 0; }));
  EXPECT_EQ(prefix_count(), 0U);
  EXPECT_TRUE(is_free());
}

TEST_F(HttpImport, OneIsReceivedAtATime) {
  serve();
  const std::string large = padded(1'000'000);
  Client first(port_);
  first.send(head_for(large.size()) + large.substr(0, 600'000));
  ASSERT_TRUE(comes_true([] { return nameless_files() == 1; }));
  const std::string second = import(kDocument);
  EXPECT_EQ(status_of(second), 503U);
  EXPECT_NE(second.find("Retry-After: "), std::string::npos) << second;
  EXPECT_EQ(prefix_count(), 0U) << "others are served";
  EXPECT_EQ(status_of(first.ask(large.substr(600'000))), 200U);
  EXPECT_EQ(status_of(import(kDocument)), 200U) << "as soon as the first has its reply";
}

TEST_F(HttpImport, ATrickleDoesNotHoldUpOthersForEver) {
  limits_.idle_time = std::chrono::milliseconds(300);
  serve();
  Client slow(port_);
  slow.send(head_for(1'000'000));
  std::thread trickle([&slow] {
    for (int n = 0; n < 100; ++n) {
      slow.send(" ");
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  });
  EXPECT_TRUE(slow.is_ended());
  trickle.join();
  EXPECT_TRUE(is_free());
}

TEST_F(HttpImport, ADiskThatTakesNoMoreIs503AndHasNoEffect) {
  serve();
  ASSERT_EQ(status_of(import(kDocument)), 200U);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = signal(SIGXFSZ, SIG_IGN);
  const rlimit little{.rlim_cur = rlim_t{1} << 20, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &little), 0);
  const std::string refused = import(padded(2'000'000));
  setrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, handler);
  EXPECT_EQ(status_of(refused), 503U) << refused;
  EXPECT_NE(refused.find("the body cannot be kept in "), std::string::npos) << refused;
  EXPECT_NE(refused.find("File too large"), std::string::npos) << refused;
  EXPECT_EQ(prefix_count(), 1U);
  EXPECT_TRUE(is_free());
}

TEST_F(HttpImport, ADirectoryThatIsNotThereIs503) {
  options_.body_directory = (scratch_ / "nowhere").string();
  serve();
  const std::string refused = import(kDocument);
  EXPECT_EQ(status_of(refused), 503U);
  EXPECT_NE(refused.find("No such file or directory"), std::string::npos) << refused;
}

TEST_F(HttpImport, TheServerEndsWhileOneIsReceived) {
  serve();
  Client client(port_);
  client.send(head_for(2'000'000) + std::string(1'000'000, ' '));
  ASSERT_TRUE(comes_true([] { return nameless_files() == 1; }));
  stop_serving();
  EXPECT_TRUE(client.is_ended());
}

}  // namespace
