// SPDX-License-Identifier: BSD-3-Clause
#include "control/replay/feeder.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <utility>
#include <vector>

#include "tests/support/captures.hpp"
#include "tests/support/program.hpp"

namespace {

using control::replay::BlockQueue;
using control::replay::Capture;
using control::replay::DirectedCapture;
using control::replay::Feeder;

// Progress of `tcpdump -w - | steer-replay --ingress -`.
TEST(Feeder, CountsWhatItReadsFromAPipe) {
  const support::Scratch scratch;
  support::write_capture(scratch / "in.pcap", std::vector<support::Bytes>(10, support::Bytes(60)));
  const std::string bytes = support::contents_of(scratch / "in.pcap");
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  close(ends[1]);
  std::vector<DirectedCapture> captures;
  for (std::FILE* const file :
       {fdopen(ends[0], "r"), std::fopen((scratch / "in.pcap").c_str(), "r")}) {
    auto capture = Capture::open(file, "capture");
    ASSERT_TRUE(capture.has_value()) << capture.error();
    captures.push_back({"capture", dataplane::Direction::ingress, std::move(*capture)});
  }

  BlockQueue full;
  BlockQueue free;
  const std::atomic<bool> never{false};
  Feeder feeder(captures, {&full}, {&free}, 1, never);
  feeder.run();
  EXPECT_EQ(feeder.dealt().packets, 20U);
  EXPECT_EQ(feeder.bytes_read(), 600 + bytes.size()) << "packets of the pipe, all of the file";
}

}  // namespace
