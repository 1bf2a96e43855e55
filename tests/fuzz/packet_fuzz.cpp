// SPDX-License-Identifier: BSD-3-Clause
//
// Any bytes as a frame. The first byte chooses how it arrives: cut, on which port; the rest is the
// frame, in memory of exactly its size.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "dataplane/parse.hpp"
#include "dataplane/steer.hpp"
#include "tests/support/tables.hpp"

namespace {

using dataplane::Decision;
using dataplane::Direction;
using dataplane::Frame;
using dataplane::Network;
using dataplane::Outcome;
using dataplane::Parsed;
using dataplane::Service;

dataplane::Settings strict() {
  dataplane::Settings settings;
  settings.cdn_accept = dataplane::Settings::CdnAccept::http;
  settings.spectrum_accept = dataplane::Settings::SpectrumAccept::tcp_udp;
  settings.verify_checksum = true;
  return settings;
}

void require(bool holds) {
  if (!holds) std::abort();
}

void check_bounds(const Frame& frame, const Parsed& parsed) {
  if (parsed.network == Network::none) return;
  const std::uint32_t header = parsed.network == Network::ipv4 ? 20 : 40;
  require(parsed.ip_offset + header <= frame.captured);
  require(parsed.ip_length >= header);
  require(parsed.ip_offset + std::uint64_t{parsed.ip_length} <= frame.wire_length);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using support::table_of;
  static const dataplane::Table kTables[] = {
      table_of({{"0.0.0.0/1", Service::cdn},
                {"128.0.0.0/1", Service::spectrum},
                {"::/1", Service::cdn},
                {"8000::/1", Service::spectrum}}),
      table_of({{"0.0.0.0/1", Service::cdn},
                {"128.0.0.0/1", Service::spectrum},
                {"::/1", Service::cdn},
                {"8000::/1", Service::spectrum}},
               strict()),
  };
  if (size == 0 || size > 65536) return 0;
  const unsigned how = data[0];
  const auto length = static_cast<std::uint32_t>(size - 1);
  const std::unique_ptr<std::uint8_t[]> bytes(new std::uint8_t[length]);
  std::copy_n(data + 1, length, bytes.get());
  const Frame frame{.bytes = bytes.get(),
                    .captured = length,
                    .wire_length = (how & 1) != 0 ? length + 70000 : length};
  const dataplane::Port port{
      .role = (how & 2) != 0 ? Direction::egress : Direction::ingress,
      .vlan_roles = nullptr,
      .kernel_path = (how & 4) != 0,
  };
  check_bounds(frame, parse(frame));
  Decision lax;
  Decision narrow;
  steer(kTables[0], port, {&frame, 1}, {&lax, 1});
  steer(kTables[1], port, {&frame, 1}, {&narrow, 1});
  // Narrowing moves packets to Magic Transit, a wrong checksum drops them, and nothing else
  // changes.
  const bool is_same = lax.verdict == narrow.verdict;
  const bool is_refused =
      narrow.verdict == dataplane::Verdict::magic_transit_not_accepted &&
      (outcome_of(lax.verdict) == Outcome::cdn || outcome_of(lax.verdict) == Outcome::spectrum);
  require(is_same || is_refused || narrow.verdict == dataplane::Verdict::drop_ip_checksum);
  return 0;
}
