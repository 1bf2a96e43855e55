// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "dataplane/verdict.hpp"
#include "lpm/prefix.hpp"
#include "tests/support/packets.hpp"
#include "tests/support/tables.hpp"

namespace support {

// The table of examples in the specification, section 2, which holds at every level: the library,
// the worker, the program.
struct Example {
  const char* description;
  std::vector<Bound> bindings;  // the default first
  const char* destination;
  dataplane::Direction direction;
  dataplane::Outcome outcome;
};

inline std::vector<Example> examples() {
  using dataplane::Direction;
  using dataplane::Outcome;
  using dataplane::Service;
  const std::vector<Bound> over_magic_transit{{"203.0.113.0/24", Service::magic_transit},
                                              {"203.0.113.1/32", Service::cdn},
                                              {"203.0.113.2/32", Service::spectrum}};
  const std::vector<Bound> over_cdn{{"203.0.113.0/24", Service::cdn},
                                    {"203.0.113.1/32", Service::spectrum}};
  const std::vector<Bound> over_spectrum{{"203.0.113.0/24", Service::spectrum},
                                         {"203.0.113.1/32", Service::cdn}};
  constexpr Direction kIngress = Direction::ingress;
  constexpr Direction kEgress = Direction::egress;
  return {
      {"upgraded to CDN", over_magic_transit, "203.0.113.1", kIngress, Outcome::cdn},
      {"upgraded to Spectrum", over_magic_transit, "203.0.113.2", kIngress, Outcome::spectrum},
      {"default Magic Transit", over_magic_transit, "203.0.113.3", kIngress,
       Outcome::magic_transit},
      {"egress to a CDN address", over_magic_transit, "203.0.113.1", kEgress,
       Outcome::magic_transit},
      {"Spectrum in CDN", over_cdn, "203.0.113.1", kIngress, Outcome::spectrum},
      {"default CDN", over_cdn, "203.0.113.2", kIngress, Outcome::cdn},
      {"CDN in Spectrum", over_spectrum, "203.0.113.1", kIngress, Outcome::cdn},
      {"default Spectrum", over_spectrum, "203.0.113.2", kIngress, Outcome::spectrum},
      {"no bindings at all", {}, "192.0.2.1", kIngress, Outcome::drop},
      {"no bindings at all, egress", {}, "192.0.2.1", kEgress, Outcome::magic_transit},
  };
}

inline Bytes packet_of(const Example& example) {
  return ethernet(0x0800, ipv4({.destination = v4(example.destination)}, udp({})));
}

}  // namespace support
