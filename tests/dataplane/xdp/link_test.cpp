// SPDX-License-Identifier: BSD-3-Clause
//
// The program on a real interface: a veth pair between two network namespaces, the edge (this
// process's) and a client that sends datagrams without pause.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "dataplane/xdp/program.hpp"
#include "tests/dataplane/xdp/harness.hpp"
#include "tests/support/packets.hpp"

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using dataplane::Direction;
using dataplane::xdp::Mode;
using dataplane::xdp::Onboarding;
using dataplane::xdp::Outcome;
using dataplane::xdp::PrefixMap;
using dataplane::xdp::Program;
using dataplane::xdp::ProgramOptions;
using dataplane::xdp::XdpError;
using xdp_test::shell;
using xdp_test::Socket;

constexpr std::uint16_t kPort = 4000;
constexpr auto kInterval = 500us;

// A child process that the test ends, and that ends with the test.
class Child {
 public:
  // work gets the end of a pipe on which it says, with one byte, that it is ready.
  explicit Child(const auto& work) {
    int ready[2];
    if (pipe(ready) != 0) throw std::runtime_error("no pipe");
    pid_ = fork();
    if (pid_ < 0) throw std::runtime_error("no process");
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      close(ready[0]);
      try {
        work(ready[1]);
      } catch (const std::exception& error) {
        std::fprintf(stderr, "child: %s\n", error.what());
      }
      _exit(1);
    }
    close(ready[1]);
    char byte = 0;
    is_ready_ = read(ready[0], &byte, 1) == 1;
    close(ready[0]);
  }
  ~Child() { end(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Only of a child that has not been waited for: the number is nobody else's until then. kill()
  // takes -1 for every process there is.
  void kill_now() const noexcept {
    if (pid_ > 0) kill(pid_, SIGKILL);
  }
  void end() noexcept {
    if (pid_ <= 0) return;
    kill_now();
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  [[nodiscard]] bool is_ready() const noexcept { return is_ready_; }
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

 private:
  pid_t pid_ = -1;
  bool is_ready_ = false;
};

void say_ready(int pipe) {
  if (write(pipe, "x", 1) != 1) throw std::runtime_error("the test is gone");
}

// Datagrams to 203.0.113.1, from when `client0` is there.
[[noreturn]] void send_for_ever(int ready) {
  if (unshare(CLONE_NEWNET) != 0) throw std::runtime_error("no network namespace");
  say_ready(ready);
  while (if_nametoindex("client0") == 0) std::this_thread::sleep_for(1ms);
  shell("ip link set client0 up");
  const int raw = socket(AF_PACKET, SOCK_RAW, 0);
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_ifindex = static_cast<int>(if_nametoindex("client0"));
  support::Bytes frame = support::ethernet(
      0x0800, support::ipv4(
                  {.source = support::v4("203.0.113.9"), .destination = support::v4("203.0.113.1")},
                  support::udp({.destination = kPort}, {1, 2, 3, 4})));
  for (;;) {
    // Refused while the link comes up.
    static_cast<void>(sendto(raw, frame.data(), frame.size(), 0,
                             reinterpret_cast<const sockaddr*>(&to), sizeof to));
    std::this_thread::sleep_for(kInterval);
  }
}

class XdpLink : public xdp_test::XdpTest {
 protected:
  void SetUp() override {
    XdpTest::SetUp();
    if (IsSkipped()) return;
    client_ = std::make_unique<Child>(send_for_ever);
    shell("ip link add edge0 address 02:00:00:00:00:01 type veth peer name client0 netns " +
          std::to_string(client_->pid()));
    shell("ip addr add 203.0.113.1/24 dev edge0 && ip link set edge0 up");
    receiver_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_port = htons(kPort);
    ASSERT_EQ(bind(receiver_, reinterpret_cast<const sockaddr*>(&own), sizeof own), 0);
    ASSERT_TRUE(kernel_receives_within(5s)) << "before any program";
  }
  void TearDown() override {
    if (receiver_ >= 0) close(receiver_);
    if (client_ == nullptr) return;
    client_.reset();
    // The namespace of the client goes after the client, and takes the pair with it.
    static_cast<void>(std::system("ip link del edge0 2>/dev/null"));
  }

  // How long until the kernel hands out a datagram that it has not got yet.
  std::optional<Clock::duration> kernel_receives_within(Clock::duration limit) const {
    const auto start = Clock::now();
    char bytes[64];
    while (Clock::now() - start < limit) {
      if (recv(receiver_, bytes, sizeof bytes, MSG_DONTWAIT) >= 0) return Clock::now() - start;
      std::this_thread::sleep_for(50us);
    }
    return std::nullopt;
  }
  void forget_received() const {
    char bytes[64];
    while (recv(receiver_, bytes, sizeof bytes, MSG_DONTWAIT) >= 0) continue;
  }

 private:
  std::unique_ptr<Child> client_;
  int receiver_ = -1;
};

// Like steerd with one port: all that is sent to 203.0.113.0/24 is taken.
struct Edge {
  PrefixMap prefixes;
  std::optional<Program> program;
  std::optional<Socket> socket;

  Edge() {
    program.emplace(ProgramOptions{.interface = "edge0", .attach = ProgramOptions::Attach::native},
                    prefixes);
    const lpm::AnyPrefix prefix = lpm::parse_prefix("203.0.113.0/24").value();
    if (!prefixes.onboard({&prefix, 1}, Onboarding::steered)) throw std::runtime_error("refused");
    program->configure({.role = Direction::ingress}, dataplane::Policy({}));
    // The kernel lets go of a queue some time after the process that had a socket there is gone.
    for (int attempts = 100; !socket; --attempts) {
      try {
        socket.emplace("edge0");
      } catch (const std::runtime_error&) {
        if (attempts == 0) throw;
        std::this_thread::sleep_for(10ms);
      }
    }
    program->raise_descriptor();
  }
};

TEST_F(XdpLink, TakesWhatIsOnboardedInTheDriver) {
  Edge edge;
  EXPECT_EQ(edge.program->mode(), Mode::native);
  forget_received();
  EXPECT_FALSE(kernel_receives_within(100ms));
  EXPECT_GT(edge.socket->waiting(), 50U);
  const auto counters = edge.program->read_counters();
  const auto redirected = counters[static_cast<std::size_t>(Outcome::redirected)];
  EXPECT_GT(redirected.packets, 50U);
  EXPECT_EQ(redirected.bytes, redirected.packets * 46);

  const lpm::AnyPrefix prefix = lpm::parse_prefix("203.0.113.0/24").value();
  ASSERT_TRUE(edge.prefixes.offboard({&prefix, 1}));
  EXPECT_TRUE(kernel_receives_within(100ms)) << "after offboarding";
  ASSERT_TRUE(edge.prefixes.onboard({&prefix, 1}, Onboarding::steered));
  forget_received();
  std::this_thread::sleep_for(5ms);
  forget_received();
  EXPECT_FALSE(kernel_receives_within(50ms));
  edge.program->detach();
  EXPECT_TRUE(kernel_receives_within(100ms)) << "after detaching";
}

TEST_F(XdpLink, RefusesASecondInstance) {
  const Edge edge;
  try {
    const PrefixMap prefixes;
    const Program second({.interface = "edge0"}, prefixes);
    FAIL() << "attached twice";
  } catch (const XdpError& error) {
    const std::string message = error.what();
    EXPECT_TRUE(message.contains("`edge0`")) << message;
    EXPECT_TRUE(message.contains("another XDP program")) << message;
    EXPECT_FALSE(message.contains('\n')) << message;
  }
}

TEST_F(XdpLink, AfterSigkillTheKernelHasTheTrafficAndARestartWorks) {
  constexpr unsigned kRounds = 7;
  std::vector<double> times_ms;
  for (unsigned round = 0; round < kRounds; ++round) {
    Child steerd([](int ready) {
      const Edge edge;
      say_ready(ready);
      for (;;) pause();
    });
    ASSERT_TRUE(steerd.is_ready()) << "attached again in round " << round;
    std::this_thread::sleep_for(20ms);
    forget_received();
    ASSERT_FALSE(kernel_receives_within(20ms)) << "the program takes it";
    steerd.kill_now();
    const auto time = kernel_receives_within(2s);
    ASSERT_TRUE(time);
    times_ms.push_back(std::chrono::duration<double, std::milli>(*time).count());
    steerd.end();
  }
  std::ranges::sort(times_ms);
  std::printf("the kernel has the traffic %.1f ms after SIGKILL (median), %.1f at most\n",
              times_ms[kRounds / 2], times_ms.back());
  // The median: a loaded machine may hold up one round for other reasons.
  EXPECT_LT(times_ms[kRounds / 2], 100.0);
}

TEST_F(XdpLink, FallsBackToGenericOnlyIfAskedTo) {
  const PrefixMap prefixes;
  const Program generic({.interface = "lo"}, prefixes);
  EXPECT_EQ(generic.mode(), Mode::generic);
}

TEST_F(XdpLink, SaysWhatToDoWhereItCannotAttach) {
  const PrefixMap prefixes;
  using Attach = ProgramOptions::Attach;
  struct {
    const char* interface;
    Attach attach;
    const char* says;
  } const tests[] = {
      {"lo", Attach::native, "choose generic"},
      {"absent0", Attach::native_or_generic, "no interface `absent0`"},
  };
  for (const auto& test : tests) {
    try {
      const Program program({.interface = test.interface, .attach = test.attach}, prefixes);
      ADD_FAILURE() << "attached to " << test.interface;
    } catch (const XdpError& error) {
      EXPECT_TRUE(std::string(error.what()).contains(test.says)) << error.what();
    }
  }
}

}  // namespace
