// SPDX-License-Identifier: BSD-3-Clause
//
// What steer-replay prints.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/e2e/steer_replay.hpp"
#include "tests/support/captures.hpp"
#include "tests/support/examples.hpp"

namespace {

using e2e::kData;
using e2e::replay;
using support::Bytes;
using support::Scratch;

Bytes to(std::string_view destination) {
  return support::ethernet(
      0x0800, support::ipv4({.destination = support::v4(destination)}, support::udp({})));
}

void write(const std::string& path, const char* text) {
  std::ofstream(path) << text;
}

// As a bindings file; the default is the first.
nlohmann::json file_of(const std::vector<support::Bound>& bindings) {
  nlohmann::json file{{"prefixes", nlohmann::json::array()}};
  for (const support::Bound& binding : bindings) {
    const nlohmann::json entry{{"cidr", binding.cidr}, {"service", name_of(binding.service)}};
    if (file["prefixes"].empty())
      file["prefixes"].push_back(entry);
    else
      file["prefixes"][0]["bindings"].push_back(entry);
  }
  return file;
}

TEST(Replay, HoldsTheExamplesOfTheSpecification) {
  for (const support::Example& example : support::examples()) {
    const Scratch scratch;
    write(scratch / "bindings.json", file_of(example.bindings).dump().c_str());
    support::write_capture(scratch / "in.pcap", {support::packet_of(example)});
    const bool is_ingress = example.direction == dataplane::Direction::ingress;
    const auto result =
        replay({"--bindings", scratch / "bindings.json", is_ingress ? "--ingress" : "--egress",
                scratch / "in.pcap", "--json"});
    ASSERT_EQ(result.status, 0) << result.error;
    const nlohmann::json report = nlohmann::json::parse(result.out);
    EXPECT_EQ(report["outcomes"][std::string(name_of(example.outcome))]["packets"], 1)
        << example.description << result.out;
  }
}

const std::string kBindings = kData / "captures/bindings.json";
const std::string kCapture = kData / "captures/addresses.pcap";

TEST(Replay, CountsEveryPassOfARepeatedReplayAndWritesFilesOnce) {
  const Scratch scratch;
  const std::string once_path = scratch / "once.tsv";
  const std::string thrice_path = scratch / "thrice.tsv";
  const auto once =
      replay({"--bindings", kBindings, "--ingress", kCapture, "--json", "--verdicts", once_path});
  const auto thrice = replay({"--bindings", kBindings, "--ingress", kCapture, "--json",
                              "--verdicts", thrice_path, "--repeat", "3", "--workers", "2"});
  ASSERT_EQ(thrice.status, 0) << thrice.error;
  const auto packets = [](const auto& result) {
    return nlohmann::json::parse(result.out)["packets"].template get<std::uint64_t>();
  };
  EXPECT_EQ(packets(thrice), 3 * packets(once));
  EXPECT_EQ(support::contents_of(thrice_path), support::contents_of(once_path));
}

// Without files to write, nothing but the counts tells how often each packet was replayed.
TEST(Replay, ReplaysEveryPacketOnceAPassHoweverManyWorkers) {
  const Scratch scratch;
  e2e::Words arguments{"--bindings", kBindings, "--json", "--repeat", "100", "--ingress"};
  constexpr std::size_t kPackets = 3000;
  for (const char* const host : {"203.0.113.1", "203.0.113.2", "203.0.113.3"}) {
    const std::string capture = scratch / (std::string(host) + ".pcap");
    support::write_capture(capture, std::vector<Bytes>(kPackets, to(host)));
    arguments.push_back(capture);
  }
  for (const char* const workers : {"1", "2", "3", "4"}) {
    using e2e::operator+;
    const auto result = replay(arguments + e2e::Words{"--workers", workers});
    ASSERT_EQ(result.status, 0) << result.error;
    const nlohmann::json outcomes = nlohmann::json::parse(result.out)["outcomes"];
    for (const char* const outcome : {"cdn", "spectrum", "magic_transit"})
      EXPECT_EQ(outcomes[outcome]["packets"], 100 * kPackets) << workers << " workers";
  }
}

TEST(Replay, ReadsStandardInput) {
  const auto result = replay({"--bindings", kBindings, "--ingress", "-", "--json"}, kCapture);
  ASSERT_EQ(result.status, 0) << result.error;
  EXPECT_EQ(nlohmann::json::parse(result.out)["packets"], support::read_capture(kCapture).size());
}

TEST(Replay, TakesCapturesInTheOrderOfTheCommandLine) {
  const Scratch scratch;
  support::write_capture(scratch / "a.pcap", {to("203.0.113.1")});
  support::write_capture(scratch / "b.pcap", {to("203.0.113.2"), to("203.0.113.2")});
  const std::string verdicts = scratch / "verdicts.tsv";
  const auto result =
      replay({"--egress", scratch / "b.pcap", "--ingress", scratch / "a.pcap", "--egress",
              scratch / "a.pcap", "--bindings", kBindings, "--verdicts", verdicts});
  ASSERT_EQ(result.status, 0) << result.error;
  const std::string text = support::contents_of(verdicts);
  EXPECT_EQ(text,
            "capture\tpacket\tdirection\toutcome\treason\tdestination\tbinding\n"
            "b.pcap\t1\tegress\tmagic_transit\tegress\t203.0.113.2\t203.0.113.2/32\n"
            "b.pcap\t2\tegress\tmagic_transit\tegress\t203.0.113.2\t203.0.113.2/32\n"
            "a.pcap\t1\tingress\tcdn\tbound\t203.0.113.1\t203.0.113.1/32\n"
            "a.pcap\t1\tegress\tmagic_transit\tegress\t203.0.113.1\t203.0.113.1/32\n");
}

TEST(Replay, TellsCapturesOfOneNameApartAndKeepsTheColumnsWhole) {
  const Scratch scratch;
  support::fs::create_directory(scratch / "monday");
  support::fs::create_directory(scratch / "tuesday");
  const std::vector<std::string> captures{
      scratch / "monday" / "eth0.pcap", scratch / "tuesday" / "eth0.pcap", scratch / "a\tb\n.pcap"};
  for (const std::string& capture : captures) support::write_capture(capture, {to("203.0.113.1")});
  const std::string verdicts = scratch / "verdicts.tsv";
  using e2e::operator+;
  const auto result =
      replay(e2e::Words{"--bindings", kBindings, "--verdicts", verdicts, "--ingress"} + captures);
  ASSERT_EQ(result.status, 0) << result.error;
  const std::string text = support::contents_of(verdicts);
  EXPECT_NE(text.find("\n" + captures[0] + "\t1\t"), std::string::npos) << text;
  EXPECT_NE(text.find("\n" + captures[1] + "\t1\t"), std::string::npos) << text;
  EXPECT_NE(text.find("\na\\tb\\n.pcap\t1\t"), std::string::npos) << text;
}

TEST(Replay, WritesVerdictsIntoAnOutputDirectoryThatItMakes) {
  const Scratch scratch;
  const std::string output = scratch / "new/output";
  const auto result = replay({"--bindings", kBindings, "--ingress", kCapture, "--output-dir",
                              output, "--verdicts", output + "/verdicts.tsv"});
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_NE(support::contents_of(output + "/verdicts.tsv"), "");
  EXPECT_TRUE(support::fs::exists(output + "/cdn.pcap"));
}

// Bindings are counted by the ingress traffic they match; egress traffic tells inside from outside.
TEST(Replay, ReportsTheBusiestBindingsFirst) {
  const Scratch scratch;
  std::string bindings = R"({"prefixes":[{"cidr":"203.0.113.0/24","service":"cdn","bindings":[)";
  std::vector<Bytes> frames;
  for (int host = 1; host <= 25; ++host) {
    const std::string address = "203.0.113." + std::to_string(host);
    bindings +=
        (host == 1 ? "" : ",") + (R"({"cidr":")" + address) + R"(/32","service":"spectrum"})";
    for (int packet = 0; packet < host; ++packet) frames.push_back(to(address));
  }
  write(scratch / "bindings.json", (bindings + "]}]}").c_str());
  support::write_capture(scratch / "in.pcap", frames);
  support::write_capture(scratch / "out.pcap", {to("203.0.113.1"), to("192.0.2.1")});
  const e2e::Words arguments{"--bindings",        scratch / "bindings.json", "--json",
                             "--ingress",         scratch / "in.pcap",       "--egress",
                             scratch / "out.pcap"};
  const nlohmann::json report = nlohmann::json::parse(replay(arguments).out);
  ASSERT_EQ(report["bindings"].size(), 20U);
  EXPECT_EQ(report["bindings"][0], (nlohmann::json{{"cidr", "203.0.113.25/32"},
                                                   {"service", "spectrum"},
                                                   {"packets", 25},
                                                   {"bytes", 25 * 42}}));
  EXPECT_EQ(report["bindings"][19]["cidr"], "203.0.113.6/32");
  EXPECT_EQ(report["egress"]["inside_prefixes"]["packets"], 1);
  EXPECT_EQ(report["egress"]["outside_prefixes"]["packets"], 1);
  EXPECT_EQ(report["generation"], 1);

  using e2e::operator+;
  const auto all = replay(arguments + e2e::Words{"--all-bindings"});
  const nlohmann::json all_bindings = nlohmann::json::parse(all.out)["bindings"];
  ASSERT_EQ(all_bindings.size(), 26U);
  EXPECT_EQ(all_bindings[24]["cidr"], "203.0.113.1/32");
  EXPECT_EQ(all_bindings[25],
            (nlohmann::json{
                {"cidr", "203.0.113.0/24"}, {"service", "cdn"}, {"packets", 0}, {"bytes", 0}}))
      << "an idle binding is a binding";
}

TEST(Replay, PrintsATableForPeopleWithoutColourWhereThereIsNoTerminal) {
  const auto result = replay({"--bindings", kBindings, "--ingress", kCapture});
  ASSERT_EQ(result.status, 0) << result.error;
  for (const char* const word : {"packets", "bytes", "share", "packets/s", "magic_transit", "cdn",
                                 "spectrum", "drop unmatched", "/32"})
    EXPECT_NE(result.out.find(word), std::string::npos) << word;
  EXPECT_EQ(result.out.find('\033'), std::string::npos);
  EXPECT_EQ(result.error, "") << "no progress bar, no chatter of DPDK";
}

TEST(Replay, HasHelpAndAVersion) {
  const auto help = replay({"--help"});
  EXPECT_EQ(help.status, 0);
  for (const char* const option :
       {"--bindings", "--ingress", "--egress", "--output-dir", "--verdicts", "--json", "--repeat",
        "--workers", "--cdn-accept", "--spectrum-accept", "--unmatched", "--egress-unknown",
        "--verify-checksum", "--all-bindings", "Examples:", "Exit status:"})
    EXPECT_NE(help.out.find(option), std::string::npos) << option;
  const auto version = replay({"--version"});
  EXPECT_EQ(version.status, 0);
  EXPECT_EQ(version.out.rfind("steer-replay ", 0), 0U);
}

}  // namespace
