// SPDX-License-Identifier: BSD-3-Clause
//
// steer-replay against verdicts that no program of this project had a part in.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "tests/e2e/steer_replay.hpp"
#include "tests/support/captures.hpp"

namespace {

using e2e::kData;
using e2e::kShared;
using e2e::Words;
using support::Captured;
using support::Scratch;
namespace fs = std::filesystem;

struct Mode {
  const char* name;  // of the file with what is expected
  const char* direction;
  Words settings;
};

void PrintTo(const Mode& mode, std::ostream* out) {
  *out << mode.name;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> columns_of(const std::string& line) {
  std::vector<std::string> columns;
  std::istringstream in(line);
  for (std::string column; std::getline(in, column, '\t');) columns.push_back(column);
  return columns;
}

void expect_same_lines(const std::string& got, const std::string& expected) {
  const std::vector<std::string> got_lines = lines_of(got);
  const std::vector<std::string> expected_lines = lines_of(expected);
  EXPECT_EQ(got_lines.size(), expected_lines.size());
  int shown = 0;
  for (std::size_t i = 0; i < std::min(got_lines.size(), expected_lines.size()) && shown < 10; ++i)
    if (got_lines[i] != expected_lines[i]) {
      ADD_FAILURE() << "expected " << expected_lines[i] << "\ngot      " << got_lines[i];
      ++shown;
    }
}

// The report holds the balance, and counts what the verdicts say.
void expect_balance(const std::string& report_text, const std::string& verdicts) {
  const nlohmann::json report = nlohmann::json::parse(report_text);
  std::map<std::string, std::uint64_t> outcomes;
  std::map<std::string, std::uint64_t> reasons;
  std::uint64_t packets = 0;
  for (const std::string& line : lines_of(verdicts)) {
    const std::vector<std::string> columns = columns_of(line);
    if (columns[0] == "capture" && packets == 0 && outcomes.empty()) continue;
    ++outcomes[columns[3]];
    ++reasons[columns[4]];
    ++packets;
  }
  EXPECT_EQ(report["packets"], packets);
  std::uint64_t sum = 0;
  std::uint64_t bytes = 0;
  for (const auto& [outcome, volume] : report["outcomes"].items()) {
    EXPECT_EQ(volume["packets"], outcomes[outcome]) << outcome;
    sum += volume["packets"].get<std::uint64_t>();
    bytes += volume["bytes"].get<std::uint64_t>();
  }
  EXPECT_EQ(sum, packets);
  EXPECT_EQ(report["bytes"], bytes);
  EXPECT_EQ(report["reasons"].size(), reasons.size());
  for (const auto& [reason, count] : reasons)
    EXPECT_EQ(report["reasons"][reason]["packets"], count) << reason;
}

// Each output capture holds, byte for byte and in order, the packets that the verdicts name for it.
void expect_outputs(const fs::path& directory, const std::vector<std::string>& captures,
                    const std::string& verdicts) {
  std::map<std::string, std::vector<Captured>> expected;
  const std::vector<std::string> lines = lines_of(verdicts);
  std::size_t line = 1;
  for (const std::string& capture : captures)
    for (Captured& packet : support::read_capture(capture)) {
      ASSERT_LT(line, lines.size());
      expected[columns_of(lines[line++])[3]].push_back(std::move(packet));
    }
  EXPECT_EQ(line, lines.size());
  for (const auto& [outcome, file] :
       std::map<std::string, std::string>{{"magic_transit", "magic_transit.pcap"},
                                          {"cdn", "cdn.pcap"},
                                          {"spectrum", "spectrum.pcap"},
                                          {"drop", "dropped.pcap"}})
    EXPECT_TRUE(support::read_capture(directory / file) == expected[outcome]) << file;
}

void expect_replay(const fs::path& bindings, const std::vector<std::string>& captures,
                   const Mode& mode, const std::string& expected, bool with_malformed_detail) {
  for (const char* const workers : {"1", "3"}) {
    const Scratch scratch;
    const std::string verdict_path = scratch / "verdicts.tsv";
    const Words arguments{"--bindings",   bindings,
                          "--verdicts",   verdict_path,
                          "--output-dir", scratch / "output",
                          "--json",       "--workers",
                          workers,        std::string("--") + mode.direction};
    using e2e::operator+;
    const auto result = e2e::replay(arguments + captures + mode.settings);
    ASSERT_EQ(result.status, 0) << result.error;
    EXPECT_EQ(result.error, "");
    const std::string verdicts = support::contents_of(verdict_path);
    expect_same_lines(
        with_malformed_detail
            ? verdicts
            : std::regex_replace(verdicts, std::regex("\tmalformed_[a-z0-9_]+"), "\tmalformed"),
        expected);
    expect_balance(result.out, verdicts);
    expect_outputs(scratch / "output", captures, verdicts);
  }
}

const Words kNarrow{"--cdn-accept", "http", "--spectrum-accept", "tcp-udp"};

class OwnCaptures : public testing::TestWithParam<Mode> {};

TEST_P(OwnCaptures, AreSteeredAsWrittenByHand) {
  const Mode& mode = GetParam();
  expect_replay(kData / "captures/bindings.json", support::captures_in(kData / "captures"), mode,
                support::contents_of(kData / "expected" / (std::string(mode.name) + ".tsv")), true);
}

INSTANTIATE_TEST_SUITE_P(
    Replay, OwnCaptures,
    testing::Values(
        Mode{"ingress-any", "ingress", {}}, Mode{"ingress-narrow", "ingress", kNarrow},
        Mode{"ingress-checksum", "ingress", {"--verify-checksum", "on"}},
        Mode{"ingress-unmatched-magic-transit", "ingress", {"--unmatched", "magic_transit"}},
        Mode{"egress", "egress", {}},
        Mode{"egress-checksum", "egress", {"--verify-checksum", "on"}},
        Mode{"egress-unknown-drop", "egress", {"--egress-unknown", "drop"}}));

TEST(OwnCaptures, CoverEveryReasonThatAReplayCanGive) {
  std::map<std::string, int> seen;
  for (const auto& entry : fs::directory_iterator(kData / "expected"))
    for (const std::string& line : lines_of(support::contents_of(entry.path()))) {
      const std::vector<std::string> columns = columns_of(line);
      if (columns.size() == 7) ++seen[columns[3] + " " + columns[4]];
    }
  for (const char* const verdict :
       {"magic_transit bound", "cdn bound", "spectrum bound", "magic_transit not_accepted",
        "magic_transit egress", "magic_transit unmatched", "drop malformed_ethernet",
        "drop malformed_ip_truncated", "drop malformed_ip_version",
        "drop malformed_ip_header_length", "drop malformed_ip_length", "drop ip_checksum",
        "drop not_ip", "drop local_scope", "drop egress_unknown", "drop unmatched"})
    EXPECT_GT(seen[verdict], 0) << verdict;
}

class SharedCaptures : public testing::TestWithParam<Mode> {};

TEST_P(SharedCaptures, AreSteeredAsComputedIndependently) {
  if (!fs::exists(kShared))
    GTEST_SKIP() << kShared << " is not there; the project's own captures prove the same";
  std::vector<std::string> captures = support::captures_in(kShared);
  // Not Ethernet, or damaged: replay_errors_test.cpp.
  std::erase_if(captures, [](const fs::path& path) {
    const std::string name = path.filename();
    return name.starts_with("19-") || name.starts_with("24-") || name.starts_with("25-");
  });
  const Mode& mode = GetParam();
  const std::string file = kShared / "expected" / (std::string(mode.name) + ".tsv.gz");
  const auto expected = support::run({"/bin/gzip", "-dc", file});
  ASSERT_EQ(expected.status, 0) << expected.error;
  expect_replay(kShared / "bindings.json", captures, mode, expected.out, false);
}

INSTANTIATE_TEST_SUITE_P(Replay, SharedCaptures,
                         testing::Values(Mode{"ingress-any", "ingress", {}},
                                         Mode{"ingress-narrow", "ingress", kNarrow},
                                         Mode{"egress", "egress", {}}));

}  // namespace
