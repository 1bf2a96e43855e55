// SPDX-License-Identifier: BSD-3-Clause
//
// Rings to other processes. Needs root, to reserve hugepages for the time of the test.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/e2e/huge_pages.hpp"
#include "tests/e2e/steerd.hpp"
#include "tests/support/captures.hpp"
#include "tests/support/packets.hpp"

namespace {

using support::Bytes;

constexpr const char* kBindings =
    R"({"prefixes": [{"cidr": "203.0.113.0/24", "service": "spectrum"}]})";

class SteerdRing : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root: hugepages";
    constexpr unsigned kNeeded = 80;
    pages_ = std::make_unique<e2e::HugePages>(kNeeded, steerd_ / "huge");
    if (!pages_->are_there()) GTEST_SKIP() << "there are no hugepages to have";
    support::write_capture(steerd_ / "in.pcap",
                           {support::ethernet(0x0800, support::ipv4({}, Bytes(8)))});
    steerd_.write_configuration(fmt::format(
        "port = in device=net_pcap0,rx_pcap={},infinite_rx=1 role=ingress\nhugepages = on\n"
        "output = spectrum ring=spectrum packets=64\neal = --huge-dir={}\nidle = pause\n",
        (steerd_ / "in.pcap").string(), (steerd_ / "huge").string()));
  }
  [[nodiscard]] std::unique_ptr<support::Program> consumer() const {
    return std::make_unique<support::Program>(std::vector<std::string>{
        RING_CONSUMER, "spectrum.0", "--proc-type=secondary", "--file-prefix=test", "--no-pci",
        "--huge-dir=" + (steerd_ / "huge").string(), "--lcores=0@(0)", "--log-level=*:error"});
  }

  e2e::Steerd steerd_{"", kBindings};
  std::unique_ptr<e2e::HugePages> pages_;
};

TEST_F(SteerdRing, NoticesThatAConsumerComesAndDies) {
  ASSERT_TRUE(steerd_.start());
  ASSERT_TRUE(e2e::within_limit([&] { return steerd_.count("drop_spectrum_down_packets") > 0; }))
      << "nobody drains it yet";
  auto first = consumer();
  ASSERT_TRUE(e2e::within_limit([&] { return steerd_.has_logged("ring spectrum is drained"); }));
  ASSERT_TRUE(e2e::within_limit([&] { return steerd_.count("spectrum_bound_packets") > 1000; }));
  first->send(SIGKILL);
  ASSERT_TRUE(e2e::within_limit([&] { return steerd_.has_logged("nobody drains ring spectrum"); }));
  // Until that was noticed the ring was full.
  EXPECT_GT(steerd_.count("drop_spectrum_queue_full_packets"), 0U);
  const std::uint64_t before = steerd_.count("spectrum_bound_packets");
  auto second = consumer();
  EXPECT_TRUE(
      e2e::within_limit([&] { return steerd_.count("spectrum_bound_packets") > before + 1000; }));
  second->send(SIGTERM);
  const auto result = second->wait();
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_NE(result.out.find(" packets\n"), std::string::npos) << result.out;
  EXPECT_EQ(steerd_.stop().status, 0);
}

TEST_F(SteerdRing, AConsumerNoticesThatSteerdDied) {
  ASSERT_TRUE(steerd_.start());
  auto draining = consumer();
  ASSERT_TRUE(e2e::within_limit([&] { return steerd_.has_logged("ring spectrum is drained"); }));
  steerd_.send(SIGKILL);
  const auto result = draining->wait();
  EXPECT_NE(result.out.find("steerd has died"), std::string::npos) << result.out << result.error;
  steerd_.wait();
  // What the dead one left holds memory; the next start removes it.
  ASSERT_TRUE(steerd_.start());
  EXPECT_TRUE(steerd_.has_logged("that a dead instance had left"));
  EXPECT_EQ(steerd_.stop().status, 0);
}

}  // namespace
