// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <pcap/pcap.h>

#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "control/replay/block.hpp"

namespace control::replay {

// magic_transit.pcap, cdn.pcap, spectrum.pcap and dropped.pcap in a directory: each packet byte for
// byte in the capture of the output that it left by, in order, with its time stamp (nanoseconds)
// and original length.
class OutputCaptures {
 public:
  // The files that would be written.
  [[nodiscard]] static std::vector<std::filesystem::path> paths_in(
      const std::filesystem::path& directory);

  // Makes the directory, and what is missing above it. Throws std::runtime_error naming the path if
  // that fails.
  static void make_directory(const std::filesystem::path& directory);

  // Replaces the files. Throws std::runtime_error naming the path if that fails.
  explicit OutputCaptures(const std::filesystem::path& directory);

  // Throws std::runtime_error if the disk is full, or anything else could not be written.
  void write(const Block& block);
  // The same, for what was still in memory.
  void close();

 private:
  struct ClosePcap {
    void operator()(pcap_t* pcap) const noexcept { pcap_close(pcap); }
  };
  struct CloseDumper {
    void operator()(pcap_dumper_t* dumper) const noexcept { pcap_dump_close(dumper); }
  };
  struct Output {
    std::filesystem::path path;
    std::unique_ptr<pcap_dumper_t, CloseDumper> dumper;
  };

  // Throws std::runtime_error.
  static void check(const Output& output, bool failed);
  [[nodiscard]] Output& output_of(dataplane::Outcome outcome) noexcept;

  std::unique_ptr<pcap_t, ClosePcap> format_;
  std::array<Output, 4> outputs_;  // the services in the order of their outcomes, dropped
};

}  // namespace control::replay
