// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <pcap/pcap.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/packets.hpp"

namespace support {

struct Captured {
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;
  std::uint32_t wire_length = 0;
  Bytes bytes;

  friend bool operator==(const Captured&, const Captured&) = default;
};

// All packets of a capture, up to its end or to where it breaks off.
inline std::vector<Captured> read_capture(const std::filesystem::path& path) {
  char error[PCAP_ERRBUF_SIZE];
  pcap_t* const pcap =
      pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO, error);
  if (pcap == nullptr) throw std::runtime_error(error);
  std::vector<Captured> packets;
  pcap_pkthdr* header = nullptr;
  const u_char* bytes = nullptr;
  while (pcap_next_ex(pcap, &header, &bytes) == 1)
    packets.push_back(
        {header->ts.tv_sec, header->ts.tv_usec, header->len, Bytes(bytes, bytes + header->caplen)});
  pcap_close(pcap);
  return packets;
}

// The captures in a directory, in the order of their names.
inline std::vector<std::string> captures_in(const std::filesystem::path& directory) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string extension = entry.path().extension();
    if (extension == ".pcap" || extension == ".pcapng") paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  return paths;
}

// One second apart.
inline void write_capture(const std::filesystem::path& path, const std::vector<Bytes>& frames) {
  pcap_t* const format = pcap_open_dead(DLT_EN10MB, 65535);
  pcap_dumper_t* const dumper = pcap_dump_open(format, path.c_str());
  if (dumper == nullptr) throw std::runtime_error(pcap_geterr(format));
  std::int64_t second = 0;
  for (const Bytes& frame : frames) {
    const auto size = static_cast<std::uint32_t>(frame.size());
    const pcap_pkthdr header{.ts = {.tv_sec = second++, .tv_usec = 0}, .caplen = size, .len = size};
    pcap_dump(reinterpret_cast<u_char*>(dumper), &header, frame.data());
  }
  pcap_dump_close(dumper);
  pcap_close(format);
}

}  // namespace support
