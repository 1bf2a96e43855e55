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

void refuse_to_replace_inputs(const std::filesystem::path& output,
                              const std::vector<std::string>& inputs) {
  for (const std::string& input : inputs) {
    std::error_code missing;
    if (std::filesystem::equivalent(output, input, missing))
      throw std::runtime_error(fmt::format(
          "{}: is an input of this replay and would be replaced: choose another --output-dir",
          output.string()));
  }
}

}  // namespace

OutputCaptures::OutputCaptures(const std::filesystem::path& directory,
                               const std::vector<std::string>& inputs)
    : format_(pcap_open_dead_with_tstamp_precision(DLT_EN10MB, kSnapLength,
                                                   PCAP_TSTAMP_PRECISION_NANO)) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error)
    throw std::runtime_error(
        fmt::format("{}: cannot be made: {}", directory.string(), error.message()));
  for (const char* const name : kNames) refuse_to_replace_inputs(directory / name, inputs);
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
  const Record* record = block.first();
  for (std::size_t i = 0; i < block.packets(); ++i, record = next_of(record)) {
    const pcap_pkthdr header{
        .ts = record->time, .caplen = record->captured, .len = record->wire_length};
    auto* const dumper = reinterpret_cast<u_char*>(output_of(record->left_by).dumper.get());
    pcap_dump(dumper, &header, record->bytes());
  }
}

void OutputCaptures::close() {
  for (Output& output : outputs_) {
    errno = 0;
    const bool failed = pcap_dump_flush(output.dumper.get()) != 0 ||
                        std::ferror(pcap_dump_file(output.dumper.get())) != 0;
    if (failed)
      throw std::runtime_error(fmt::format("{}: cannot be written: {}", output.path.string(),
                                           std::strerror(errno == 0 ? EIO : errno)));
    output.dumper.reset();
  }
}

std::vector<std::filesystem::path> OutputCaptures::paths() const {
  std::vector<std::filesystem::path> paths;
  for (const Output& output : outputs_) paths.push_back(output.path);
  return paths;
}

}  // namespace control::replay
