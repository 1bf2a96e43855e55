// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace dataplane {

enum class ChecksumStatus : std::uint8_t { unknown, good, bad };

// One Ethernet frame, as far as it is at hand. Not owned.
struct Frame {
  const std::uint8_t* bytes = nullptr;
  std::uint32_t captured = 0;     // bytes readable at `bytes`
  std::uint32_t wire_length = 0;  // bytes on the wire; more than `captured` where a capture was cut
  // What the port's hardware said of the IPv4 header checksum.
  ChecksumStatus ip_checksum = ChecksumStatus::unknown;
};

}  // namespace dataplane
