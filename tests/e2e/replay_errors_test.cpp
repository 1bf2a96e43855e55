// SPDX-License-Identifier: BSD-3-Clause
//
// What steer-replay says and does when something is wrong with what it is given.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "tests/e2e/steer_replay.hpp"
#include "tests/support/captures.hpp"

namespace {

using e2e::kData;
using e2e::replay;
using support::Scratch;

const std::string kBindings = kData / "captures/bindings.json";
const std::string kGood = kData / "captures/addresses.pcap";

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

struct Broken {
  const char* file;
  int packets;  // that are steered before the end; -1: none, since it is refused when it is opened
  const char* message;
};

TEST(Replay, SteersWhatComesBeforeTheDamageAndNamesThePacket) {
  const Broken cases[] = {
      {"absurd-length.pcap", 2, "breaks off at packet 3: invalid packet capture length 4325376"},
      {"cut-in-data.pcap", 3, "breaks off at packet 4: truncated dump file"},
      {"cut-in-pcapng-block.pcapng", 3, "breaks off at packet 4: truncated pcapng dump file"},
      {"cut-in-record-header.pcap", 3, "breaks off at packet 4: truncated dump file"},
      {"endless-length.pcap", 2, "breaks off at packet 3"},
      {"mixed-link-types.pcapng", 2, "breaks off at packet 3: an interface has a type 113"},
      {"empty.pcap", -1, "is empty"},
      {"garbage.txt", -1, "is not a capture that libpcap reads: unknown file format"},
      {"compressed.pcap.gz", -1, "looks compressed"},
      {"cut-in-file-header.pcap", -1, "is not a capture that libpcap reads: truncated dump file"},
      {"raw-ip.pcap", -1, "has link type 101 (RAW, Raw IP); only Ethernet"},
  };
  for (const Broken& test : cases) {
    const Scratch scratch;
    const std::string file = kData / "captures/broken" / test.file;
    const auto result = replay(
        {"--bindings", kBindings, "--ingress", file, "--output-dir", scratch / "output", "--json"});
    EXPECT_EQ(result.status, 1) << test.file;
    EXPECT_TRUE(has(result.error, file)) << result.error;
    EXPECT_TRUE(has(result.error, test.message)) << result.error;
    if (test.packets < 0) {
      EXPECT_EQ(result.out, "") << test.file;
      EXPECT_FALSE(support::fs::exists(scratch / "output")) << test.file;
      continue;
    }
    EXPECT_EQ(nlohmann::json::parse(result.out)["packets"], test.packets) << test.file;
    std::size_t written = 0;
    for (const std::string& capture : support::captures_in(scratch / "output"))
      written += support::read_capture(capture).size();
    EXPECT_EQ(written, static_cast<std::size_t>(test.packets)) << test.file;
  }
}

TEST(Replay, GoesOnWithTheNextCaptureAfterOneThatBreaksOff) {
  const auto result = replay({"--bindings", kBindings, "--json", "--ingress",
                              kData / "captures/broken/cut-in-data.pcap", "--ingress", kGood});
  EXPECT_EQ(result.status, 1);
  const std::size_t good = support::read_capture(kGood).size();
  EXPECT_EQ(nlohmann::json::parse(result.out)["packets"], 3 + good);
}

TEST(Replay, ACaptureWithoutPacketsIsNoError) {
  const auto result = replay(
      {"--bindings", kBindings, "--json", "--ingress", kData / "captures/broken/header-only.pcap"});
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_EQ(nlohmann::json::parse(result.out)["packets"], 0);
}

TEST(Replay, OpensEveryCaptureBeforeItSteersOne) {
  const Scratch scratch;
  const auto result =
      replay({"--bindings", kBindings, "--ingress", kGood, "/nonexistent.pcap", "--egress",
              "/also-nonexistent.pcap", "--verdicts", scratch / "verdicts.tsv"});
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_TRUE(has(result.error, "/nonexistent.pcap: cannot be opened: No such file or directory"));
  EXPECT_TRUE(has(result.error, "/also-nonexistent.pcap")) << "all are named, not the first";
  EXPECT_FALSE(support::fs::exists(scratch / "verdicts.tsv"));
}

TEST(Replay, SteersNothingByBindingsThatAreWrong) {
  const Scratch scratch;
  const std::string bindings = scratch / "bindings.json";
  std::ofstream(bindings) << R"({"prefixes": [
  {"cidr": "203.0.113.0/24", "service": "magic_transit", "bindings": [
    {"cidr": "203.0.113.1/24", "service": "cdn"},
    {"cidr": "203.0.113.2/32", "service": "warp"},
    {"cidr": "198.51.100.1/32", "service": "cdn"}]}]})";
  const auto result = replay(
      {"--bindings", bindings, "--ingress", kGood, "--output-dir", scratch / "output", "--json"});
  EXPECT_EQ(result.status, 2);
  EXPECT_EQ(result.out, "");
  EXPECT_TRUE(has(result.error, bindings + ":3:")) << result.error;
  EXPECT_TRUE(has(result.error, bindings + ":4:")) << result.error;
  EXPECT_TRUE(has(result.error, bindings + ":5:")) << result.error;
  EXPECT_FALSE(support::fs::exists(scratch / "output"));
  EXPECT_EQ(replay({"--bindings", "/nonexistent.json", "--ingress", kGood}).status, 2);
}

TEST(Replay, NamesTheOptionThatIsWrong) {
  struct Case {
    e2e::Words arguments;
    const char* message;
  };
  const Case cases[] = {
      {{"--ingress", kGood}, "--bindings FILE is missing"},
      {{"--bindings", kBindings}, "no capture to replay"},
      {{"--bindings", kBindings, "--ingress", kGood, "--cdn-accept", "https"},
       "--cdn-accept must be any or http, not \"https\""},
      {{"--bindings", kBindings, "--ingress", kGood, "--unmatched", "kernel"},
       "--unmatched must be drop or magic_transit, not \"kernel\""},
      {{"--bindings", kBindings, "--ingress", kGood, "--workers", "0"},
       "--workers must be a number from 1 to 64, not \"0\""},
      {{"--bindings", kBindings, "--ingress", kGood, "--repeat", "1e6"}, "--repeat must be"},
      {{"--bindings", kBindings, "--ingress", "-", "--egress", "-"}, "once only"},
      {{"--bindings", kBindings, "--ingress", kGood, "--colour"}, "--colour"},
      {{"--bindings", kBindings, "--bindings", kBindings, "--ingress", kGood}, "--bindings"},
      {{"--bindings", kBindings, "stray.pcap"}, "positional"},
  };
  for (const Case& test : cases) {
    const auto result = replay(test.arguments);
    EXPECT_EQ(result.status, 2) << test.message;
    EXPECT_TRUE(has(result.error, test.message)) << result.error;
    EXPECT_EQ(result.out, "");
  }
}

TEST(Replay, DoesNotReplaceACaptureThatItReads) {
  const Scratch scratch;
  const std::string input = scratch / "cdn.pcap";
  support::fs::copy_file(kGood, input);
  const auto result = replay({"--bindings", kBindings, "--ingress", input, "--output-dir",
                              support::fs::path(input).parent_path()});
  EXPECT_EQ(result.status, 1);
  EXPECT_TRUE(has(result.error, "is an input of this replay"));
  EXPECT_EQ(support::read_capture(input).size(), support::read_capture(kGood).size());
}

TEST(Replay, SaysWhenItsFilesCannotBeWritten) {
  const auto full =
      replay({"--bindings", kBindings, "--ingress", kGood, "--verdicts", "/dev/full"});
  EXPECT_EQ(full.status, 1);
  EXPECT_TRUE(has(full.error, "/dev/full: cannot be written: No space left on device"))
      << full.error;
  const auto missing = replay(
      {"--bindings", kBindings, "--ingress", kGood, "--verdicts", "/nonexistent/verdicts.tsv"});
  EXPECT_EQ(missing.status, 1);
  EXPECT_TRUE(has(missing.error, "/nonexistent/verdicts.tsv: cannot be written"));
}

TEST(Replay, SaysWhichArgumentsEalRefused) {
  const auto result =
      replay({"--bindings", kBindings, "--ingress", kGood, "--", "--no-such-argument"});
  EXPECT_EQ(result.status, 1);
  EXPECT_TRUE(has(result.error, "--no-such-argument")) << result.error;
}

// A pipe that never ends, interrupted: what came until then is reported and written.
TEST(Replay, EndsCleanlyWhenItIsInterrupted) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const Scratch scratch;
    const std::string pipe = scratch / "pipe";
    ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
    const std::string verdicts = scratch / "verdicts.tsv";
    std::ofstream writer;
    std::thread open([&] { writer.open(pipe, std::ios::binary); });  // waits for the reader
    support::Program program(e2e::replay_command({"--bindings", kBindings, "--ingress", "-",
                                                  "--json", "--verdicts", verdicts}),
                             pipe);
    open.join();
    writer << support::contents_of(kGood) << std::flush;
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    program.send(signal);
    const auto result = program.wait();
    EXPECT_EQ(result.status, 130) << result.error;
    const nlohmann::json report = nlohmann::json::parse(result.out);
    EXPECT_EQ(report["interrupted"], true);
    EXPECT_EQ(report["packets"], support::read_capture(kGood).size());
    const std::string text = support::contents_of(verdicts);
    EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(text, '\n')),
              support::read_capture(kGood).size() + 1);
  }
}

}  // namespace
