// SPDX-License-Identifier: BSD-3-Clause
//
// When steerd is ready, who learns of it, and what a second instance may do. No root.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/e2e/steerd.hpp"

namespace {

using std::chrono::milliseconds;

constexpr const char* kBindings = R"({"prefixes": [{"cidr": "203.0.113.0/24", "service": "cdn"}]})";
constexpr const char* kPort = "port = in device=net_null0 role=ingress\nidle = sleep\n";

// What health checks do: is the file there, and locked?
bool is_ready(const std::filesystem::path& file) {
  const int descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool is_locked = flock(descriptor, LOCK_SH | LOCK_NB) != 0;
  close(descriptor);
  return is_locked;
}

// steer-announce, which writes into a file what it was told to do.
class Announcer {
 public:
  explicit Announcer(const e2e::Steerd& steerd) : said_(steerd / "said") {
    program_ = std::make_unique<support::Program>(std::vector<std::string>{
        STEER_SOURCE_ROOT "/configs/announce/steer-announce", (steerd / "run/test.ready").string(),
        "echo announce >> " + said_.string(), "echo withdraw >> " + said_.string()});
  }
  // What it has done so far, e.g. "withdraw announce ".
  [[nodiscard]] std::string said() const {
    std::string all;
    std::ifstream file(said_);
    for (std::string line; std::getline(file, line);) all += line + " ";
    return all;
  }
  support::Program::Result stop() {
    program_->send(SIGTERM);
    return program_->wait();
  }

 private:
  support::fs::path said_;
  std::unique_ptr<support::Program> program_;
};

TEST(SteerdLife, IsAnnouncedWhileItIsReadyHoweverItEnds) {
  e2e::Steerd steerd(kPort, kBindings);
  Announcer announcer(steerd);
  std::string expected = "withdraw ";
  ASSERT_TRUE(e2e::within_limit([&] { return announcer.said() == expected; }));
  for (const int signal : {SIGTERM, SIGKILL, SIGKILL}) {
    ASSERT_TRUE(steerd.start());
    EXPECT_TRUE(is_ready(steerd / "run/test.ready"));
    expected += "announce ";
    ASSERT_TRUE(e2e::within_limit([&] { return announcer.said() == expected; }))
        << announcer.said();
    steerd.send(signal);
    steerd.wait();
    expected += "withdraw ";
    EXPECT_TRUE(e2e::within_limit([&] { return announcer.said() == expected; }))
        << announcer.said();
    EXPECT_FALSE(is_ready(steerd / "run/test.ready"));
    EXPECT_EQ(std::filesystem::exists(steerd / "run/test.ready"), signal == SIGKILL);
  }
  EXPECT_EQ(announcer.stop().status, 0);
  EXPECT_EQ(announcer.said(), expected + "withdraw ");
}

TEST(SteerdLife, AnAnnouncementThatFailsIsTriedAgain) {
  e2e::Steerd steerd(kPort, kBindings);
  const std::string flag = (steerd / "speaker-is-up").string();
  const std::string done = (steerd / "done").string();
  ASSERT_TRUE(steerd.start());
  support::Program announcer({STEER_SOURCE_ROOT "/configs/announce/steer-announce",
                              (steerd / "run/test.ready").string(),
                              "test -e " + flag + " && touch " + done, "true"});
  EXPECT_TRUE(e2e::within_limit(
      [&] { return announcer.error_so_far().find("tried again") != std::string::npos; }));
  EXPECT_FALSE(std::filesystem::exists(done));
  std::ofstream(flag).flush();
  EXPECT_TRUE(e2e::within_limit([&] { return std::filesystem::exists(done); }));
  EXPECT_EQ(steerd.stop().status, 0);
}

TEST(SteerdLife, SteersOnForTheStopDelayWithoutBeingReady) {
  e2e::Steerd steerd(std::string(kPort) + "stop-delay = 1h\n", kBindings);
  EXPECT_NE(support::run(steerd.command()).error.find("stop-delay must be a time"),
            std::string::npos);
  steerd.write_configuration(std::string(kPort) + "stop-delay = 3600s\n");
  ASSERT_TRUE(steerd.start());
  steerd.send(SIGTERM);
  ASSERT_TRUE(e2e::within_limit([&] { return steerd.has_logged("not ready any more"); }));
  EXPECT_FALSE(is_ready(steerd / "run/test.ready"));
  EXPECT_FALSE(std::filesystem::exists(steerd / "run/test.ready"));
  EXPECT_EQ(steerd.ask("/steer/generation").at("active"), 1U) << "it still runs";
  EXPECT_TRUE(steerd.reload());
  EXPECT_FALSE(is_ready(steerd / "run/test.ready")) << "a reload does not change that";
  EXPECT_EQ(steerd.stop().status, 0) << "the second signal ends it";
}

// sd_notify(3): what the service manager is told, in order.
TEST(SteerdLife, TellsTheServiceManager) {
  e2e::Steerd steerd(kPort, kBindings);
  const std::string path = (steerd / "notify").string();
  const int manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(manager, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  setenv("NOTIFY_SOCKET", path.c_str(), 1);
  ASSERT_TRUE(steerd.start());
  unsetenv("NOTIFY_SOCKET");
  ASSERT_TRUE(steerd.reload());
  EXPECT_EQ(steerd.stop().status, 0);
  std::string told;
  std::array<char, 256> message{};
  for (ssize_t size = 0; (size = recv(manager, message.data(), message.size(), MSG_DONTWAIT)) > 0;)
    told += std::string(message.data(), static_cast<std::size_t>(size)).substr(0, 9) + " ";
  close(manager);
  EXPECT_EQ(told, "READY=1\nS RELOADING READY=1\nS STOPPING= ");
}

TEST(SteerdLife, ASecondInstanceRunsByItsOwnName) {
  e2e::Steerd first(kPort, kBindings);
  ASSERT_TRUE(first.start());
  std::vector<std::string> command = first.command();
  command.insert(command.end(), {"--file-prefix", "other"});
  support::Program second(command);
  ASSERT_TRUE(e2e::within_limit([&] {
    return second.error_so_far().find("control: ready") != std::string::npos;
  })) << second.error_so_far();
  EXPECT_TRUE(is_ready(first / "run/test.ready"));
  EXPECT_TRUE(is_ready(first / "run/other.ready"));
  support::Telemetry telemetry(first / "dpdk/other/dpdk_telemetry.v2");
  EXPECT_EQ(telemetry.ask("/steer/generation").at("active"), 1U);
  EXPECT_TRUE(first.reload());
  EXPECT_EQ(telemetry.ask("/steer/generation").at("active"), 1U) << "which is not its business";
  second.send(SIGTERM);
  EXPECT_EQ(second.wait().status, 0);
  EXPECT_TRUE(is_ready(first / "run/test.ready"));
  EXPECT_TRUE(first.reload());
  EXPECT_EQ(first.stop().status, 0);
}

}  // namespace
