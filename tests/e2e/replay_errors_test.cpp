// SPDX-License-Identifier: BSD-3-Clause
//
// What steer-replay says and does when something is wrong with what it is given.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
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

// What the message says for each kind of damage in tests/data/expected/broken.tsv.
const std::map<std::string, std::string> kMessages{
    {"empty", "is empty"},
    {"no capture", "is not a capture that libpcap reads: unknown file format"},
    {"compressed", "looks compressed"},
    {"link type", "type"},
    {"record length", "breaks off at packet 3: invalid packet capture length"},
    {"cut", "truncated"},
};

TEST(Replay, SteersWhatComesBeforeTheDamageAndNamesThePacket) {
  std::ifstream table(kData / "expected/broken.tsv");
  std::string file;
  std::string packets;
  std::string damage;
  std::getline(table, file);  // the header line
  int files = 0;
  while (std::getline(table, file, '\t') && std::getline(table, packets, '\t') &&
         std::getline(table, damage)) {
    ++files;
    const Scratch scratch;
    const std::string path = kData / "captures/broken" / file;
    const auto result = replay(
        {"--bindings", kBindings, "--ingress", path, "--output-dir", scratch / "output", "--json"});
    if (damage == "none") {
      EXPECT_EQ(result.status, 0) << file;
      continue;
    }
    EXPECT_EQ(result.status, 1) << file;
    EXPECT_TRUE(has(result.error, path)) << result.error;
    EXPECT_TRUE(has(result.error, kMessages.at(damage))) << result.error;
    if (packets == "0") {  // refused when it is opened
      EXPECT_EQ(result.out, "") << file;
      EXPECT_FALSE(support::fs::exists(scratch / "output")) << file;
      continue;
    }
    const std::size_t expected = std::stoul(packets);
    EXPECT_TRUE(has(result.error, "breaks off at packet " + std::to_string(expected + 1)))
        << result.error;
    EXPECT_EQ(nlohmann::json::parse(result.out)["packets"], expected) << file;
    std::size_t written = 0;
    for (const std::string& capture : support::captures_in(scratch / "output"))
      written += support::read_capture(capture).size();
    EXPECT_EQ(written, expected) << file;
  }
  EXPECT_EQ(files, 12);
}

TEST(Replay, NamesALinkTypeThatItCannotReplay) {
  const auto result =
      replay({"--bindings", kBindings, "--ingress", kData / "captures/broken/raw-ip.pcap"});
  EXPECT_TRUE(has(result.error, "has link type 101 (RAW, Raw IP); only Ethernet")) << result.error;
}

// A pcapng interface may claim any snap length, and libpcap believes it.
TEST(Replay, APacketThatIsTooLongIsNotLostSilently) {
  const auto block = [](std::uint32_t type, std::string body) {
    body.resize((body.size() + 3) / 4 * 4);
    const auto total = static_cast<std::uint32_t>(body.size() + 12);
    const auto word = [](std::uint32_t value) {
      return std::string(reinterpret_cast<const char*>(&value), 4);
    };
    return word(type) + word(total) + body + word(total);
  };
  const auto words = [](std::initializer_list<std::uint32_t> values) {
    std::string text;
    for (const std::uint32_t value : values)
      text += std::string(reinterpret_cast<const char*>(&value), 4);
    return text;
  };
  const auto packet = [&](std::uint32_t size) {
    return block(6, words({0, 0, 0, size, size}) + std::string(size, '\0'));
  };
  const Scratch scratch;
  const std::string capture = scratch / "large.pcapng";
  std::ofstream(capture, std::ios::binary)
      << block(0x0a0d0d0a, words({0x1a2b3c4d, 1, 0xffffffff, 0xffffffff}))
      << block(1, words({1, 5'000'000})) << packet(60) << packet(600'042) << packet(60);
  for (const char* const passes : {"1", "2"}) {
    const auto result =
        replay({"--bindings", kBindings, "--ingress", capture, "--json", "--repeat", passes});
    EXPECT_EQ(result.status, 1);
    EXPECT_TRUE(has(result.error, "breaks off at packet 2: a packet of 600042 captured bytes"))
        << result.error;
    EXPECT_EQ(nlohmann::json::parse(result.out)["packets"], std::stoi(passes));
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
      {{"--bindings", kBindings, "stray.pcap"}, "--ingress or --egress"},
      {{"--bindings", "-", "--ingress", kGood}, "- is for captures only"},
      {{"--bindings", kBindings, "--ingress", kGood, "--verdicts", "-"}, "- is for captures only"},
      {{"--bindings", kBindings, "--ingress", kGood, "--verdicts", ""},
       "--verdicts must not be empty"},
  };
  for (const Case& test : cases) {
    const auto result = replay(test.arguments);
    EXPECT_EQ(result.status, 2) << test.message;
    EXPECT_TRUE(has(result.error, test.message)) << result.error;
    EXPECT_EQ(result.out, "");
  }
}

TEST(Replay, DoesNotReplaceAFileThatItReadsOrWritesElsewhere) {
  const Scratch scratch;
  const std::string capture = scratch / "cdn.pcap";
  const std::string bindings = scratch / "bindings.json";
  support::fs::copy_file(kGood, capture);
  support::fs::copy_file(kBindings, bindings);
  const std::string directory = support::fs::path(capture).parent_path();
  struct Case {
    e2e::Words arguments;
    std::string input;
    const char* message;
  };
  const Case cases[] = {
      {{"--ingress", capture, "--output-dir", directory}, "", "is read by this replay"},
      {{"--ingress", capture, "--verdicts", capture}, "", "is read by this replay"},
      {{"--ingress", kGood, "--verdicts", bindings}, "", "is read by this replay"},
      {{"--ingress", "-", "--output-dir", directory}, capture, "(standard input)"},
      {{"--ingress", kGood, "--output-dir", scratch / "out", "--verdicts",
        scratch / "out/cdn.pcap"},
       "",
       "would be written twice"},
      {{"--ingress", kGood, "--output-dir", "not-there", "--verdicts",
        support::fs::current_path() / "not-there/cdn.pcap"},
       "",
       "would be written twice"},
  };
  for (const Case& test : cases) {
    using e2e::operator+;
    const auto result = replay(e2e::Words{"--bindings", bindings} + test.arguments, test.input);
    EXPECT_EQ(result.status, 2) << test.message;
    EXPECT_TRUE(has(result.error, test.message)) << result.error;
  }
  EXPECT_EQ(support::contents_of(capture), support::contents_of(kGood));
  EXPECT_EQ(support::contents_of(bindings), support::contents_of(kBindings));
}

TEST(Replay, LeavesOldFilesAloneWhenItCannotStart) {
  const Scratch scratch;
  const std::string output = scratch / "output";
  const e2e::Words good{"--bindings", kBindings, "--ingress", kGood, "--output-dir", output};
  ASSERT_EQ(replay(good).status, 0);
  const std::string before = support::contents_of(output + "/cdn.pcap");
  using e2e::operator+;
  EXPECT_EQ(replay(good + e2e::Words{"--", "--bogus"}).status, 2);
  EXPECT_EQ(replay(good + e2e::Words{"--", "--help"}).status, 2);
  EXPECT_EQ(replay(good + e2e::Words{"--verdicts", "/nonexistent/v.tsv"}).status, 1);
  EXPECT_EQ(support::contents_of(output + "/cdn.pcap"), before);
}

TEST(Replay, ReplacesNoFileWhenAnotherCannotBeWritten) {
  const Scratch scratch;
  const std::string verdicts = scratch / "verdicts.tsv";
  const std::string output = scratch / "output";
  std::ofstream(verdicts) << "precious";
  support::fs::create_directories(output + "/dropped.pcap");
  std::ofstream(output + "/cdn.pcap") << "precious";
  const e2e::Words common{"--bindings", kBindings, "--ingress",   kGood,
                          "--verdicts", verdicts,  "--output-dir"};
  using e2e::operator+;
  const auto blocked = replay(common + e2e::Words{output});
  EXPECT_EQ(blocked.status, 1);
  EXPECT_EQ(blocked.out, "");
  EXPECT_TRUE(has(blocked.error, output + "/dropped.pcap: cannot be written: Is a directory"))
      << blocked.error;
  const auto unmakable = replay(common + e2e::Words{verdicts + "/output"});
  EXPECT_EQ(unmakable.status, 1);
  EXPECT_TRUE(has(unmakable.error, "cannot be made: Not a directory")) << unmakable.error;
  EXPECT_EQ(support::contents_of(output + "/cdn.pcap"), "precious");
  EXPECT_EQ(support::contents_of(verdicts), "precious");
}

TEST(Replay, SaysWhenStandardOutputIsLost) {
  const std::string command = std::string(STEER_REPLAY) + " --bindings '" + kBindings +
                              "' --ingress '" + kGood + "' --json >/dev/full";
  const auto result = support::run({"/bin/sh", "-c", command});
  EXPECT_EQ(result.status, 1);
  EXPECT_TRUE(has(result.error, "standard output: cannot be written: No space left on device"))
      << result.error;
  const auto closed = support::run({"/bin/sh", "-c", std::string(STEER_REPLAY) + " --bogus 2>&-"});
  EXPECT_EQ(closed.status, 2) << "nobody can be told, but the status can";
}

TEST(Replay, ReportsInJsonACaptureWhoseNameIsNotUtf8) {
  const Scratch scratch;
  const std::string capture = scratch / "caf\xe9.pcap";
  support::fs::copy_file(kData / "captures/broken/cut-in-data.pcap", capture);
  const auto result = replay({"--bindings", kBindings, "--ingress", capture, "--json"});
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(nlohmann::json::parse(result.out)["packets"], 3);
  EXPECT_TRUE(has(result.error, "breaks off at packet 4")) << result.error;
}

TEST(Replay, CanBeInterruptedBeforeStandardInputBegins) {
  const Scratch scratch;
  const std::string pipe = scratch / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const int silent = open(pipe.c_str(), O_RDWR);
  support::Program program(
      e2e::replay_command({"--bindings", kBindings, "--ingress", "-", "--json"}), pipe);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  program.send(SIGINT);
  const auto result = program.wait();
  EXPECT_EQ(result.status, 130);
  EXPECT_EQ(nlohmann::json::parse(result.out)["packets"], 0);
  EXPECT_EQ(nlohmann::json::parse(result.out)["generation"], 1);
  EXPECT_EQ(result.error, "");
  close(silent);
}

// Nobody reads the pipe behind --verdicts: the first signal asks, the second one ends it.
TEST(Replay, ASecondSignalEndsAReplayThatHangsInItsOutput) {
  const Scratch scratch;
  const std::string pipe = scratch / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const int unread = open(pipe.c_str(), O_RDWR);  // so that the other end opens
  const std::string large = scratch / "large.pcap";
  support::write_capture(large, std::vector<support::Bytes>(20000, support::Bytes(60)));
  support::Program program(
      e2e::replay_command({"--bindings", kBindings, "--ingress", large, "--verdicts", pipe}));
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  program.send(SIGINT);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  program.send(SIGINT);
  EXPECT_EQ(program.wait().status, 128 + SIGINT);
  close(unread);
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

TEST(Replay, TakesArgumentsOfEalInsteadOfItsOwn) {
  for (const e2e::Words& arguments :
       {e2e::Words{"-l0,1"}, e2e::Words{"-m128"}, e2e::Words{"--lcores", "0@0,1@0"}}) {
    using e2e::operator+;
    const auto result =
        replay(e2e::Words{"--bindings", kBindings, "--ingress", kGood, "--json", "--"} + arguments);
    EXPECT_EQ(result.status, 0) << result.error;
    EXPECT_EQ(result.error, "");
  }
}

TEST(Replay, SaysWhichArgumentsEalRefused) {
  const auto result =
      replay({"--bindings", kBindings, "--ingress", kGood, "--", "--no-such-argument"});
  EXPECT_EQ(result.status, 2);
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
