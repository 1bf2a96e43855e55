// SPDX-License-Identifier: BSD-3-Clause
#include "control/replay/output_captures.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace control::replay {
namespace {

constexpr std::array kNames{"magic_transit.pcap", "cdn.pcap", "spectrum.pcap", "dropped.pcap"};
constexpr int kSnapLength = 262144;  // the most that libpcap reads of a packet

}  // namespace

std::vector<std::filesystem::path> OutputCaptures::paths_in(
    const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> paths;
  for (const char* const name : kNames) paths.push_back(directory / name);
  return paths;
}

void OutputCaptures::make_directory(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error)
    throw std::runtime_error(
        fmt::format("{}: cannot be made: {}", directory.string(), error.message()));
}

OutputCaptures::OutputCaptures(const std::filesystem::path& directory)
    : format_(pcap_open_dead_with_tstamp_precision(DLT_EN10MB, kSnapLength,
                                                   PCAP_TSTAMP_PRECISION_NANO)) {
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    Output& output = outputs_[i];
    output.path = directory / kNames[i];
    output.dumper.reset(pcap_dump_open(format_.get(), output.path.c_str()));
    if (!output.dumper)
      throw std::runtime_error(fmt::format("cannot be written: {}", pcap_geterr(format_.get())));
  }
}

OutputCaptures::Output& OutputCaptures::output_of(dataplane::Outcome outcome) noexcept {
  return outcome == dataplane::Outcome::drop ? outputs_[3]
                                             : outputs_[static_cast<std::size_t>(outcome)];
}

void OutputCaptures::write(const Block& block) {
  errno = 0;
  const Record* record = block.first();
  for (std::size_t i = 0; i < block.packets(); ++i, record = next_of(record)) {
    const pcap_pkthdr header{
        .ts = record->time, .caplen = record->captured, .len = record->wire_length};
    auto* const dumper = reinterpret_cast<u_char*>(output_of(record->left_by).dumper.get());
    pcap_dump(dumper, &header, record->bytes());
  }
  for (const Output& output : outputs_) check(output, false);
}

void OutputCaptures::check(const Output& output, bool failed) {
  if (!failed && std::ferror(pcap_dump_file(output.dumper.get())) == 0) return;
  throw std::runtime_error(fmt::format("{}: cannot be written: {}", output.path.string(),
                                       std::strerror(errno == 0 ? EIO : errno)));
}

void OutputCaptures::close() {
  for (Output& output : outputs_) {
    errno = 0;
    check(output, pcap_dump_flush(output.dumper.get()) != 0);
    output.dumper.reset();
  }
}

}  // namespace control::replay
