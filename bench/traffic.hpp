// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/table.hpp"

// Traffic and tables for benchmarks, the same for the same seed.
namespace bench {

// 1,000 prefixes of Magic Transit, each with 4 host bindings of CDN or Spectrum: /24 and /32, or
// /48 and /128.
struct Workload {
  std::unique_ptr<const dataplane::Table> table;
  // What is in it: Match words.
  lpm::RouteSet4 routes4;
  lpm::RouteSet6 routes6;
  // Ethernet frames of `frame_bytes`, one after another; UDP, half of them to a host binding, half
  // to another address of a prefix.
  std::vector<std::uint8_t> frames;
  std::uint32_t frame_bytes = 0;
  std::uint32_t packets = 0;

  [[nodiscard]] const std::uint8_t* frame(std::uint32_t i) const noexcept {
    return frames.data() + std::size_t{i} * frame_bytes;
  }
};

[[nodiscard]] Workload make_ipv4(std::uint32_t packets, const dataplane::Settings& settings);
[[nodiscard]] Workload make_ipv6(std::uint32_t packets, const dataplane::Settings& settings);

// The same kind of frame to one destination.
[[nodiscard]] std::vector<std::uint8_t> make_frame(lpm::Address4 destination);
[[nodiscard]] std::vector<std::uint8_t> make_frame(lpm::Address6 destination);

}  // namespace bench
