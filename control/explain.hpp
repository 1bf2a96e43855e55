// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "control/binding_set.hpp"
#include "dataplane/host_addresses.hpp"
#include "dataplane/table.hpp"
#include "dataplane/verdict.hpp"

namespace control {

// An address or a packet that an operator asks about: "which service owns it?"
struct Query {
  // The flow that an ICMP error quotes, where its source is the destination of the error.
  struct QuotedFlow {
    std::uint8_t protocol = 0;
    std::optional<std::uint16_t> source_port = std::nullopt;
  };

  dataplane::Direction direction = dataplane::Direction::ingress;
  std::variant<lpm::Address4, lpm::Address6> destination = lpm::Address4{};
  // Behind the extension headers, of a fragment that of the datagram. Empty: it cannot be told.
  std::optional<std::uint8_t> protocol = std::nullopt;
  std::optional<std::uint16_t> destination_port = std::nullopt;
  // Part of a datagram that was cut up: the ports of the whole are not considered.
  bool fragment = false;
  // Of an ICMP or ICMPv6 error (protocol 1 or 58): what it is judged by.
  std::optional<QuotedFlow> quoted = std::nullopt;
  // Of the host, where the packet arrives on a port that has a kernel path; outlives the query.
  // Null: the port has none.
  const dataplane::HostAddresses* kernel_path = nullptr;
};

struct Explanation {
  dataplane::Verdict verdict = dataplane::Verdict::drop_unmatched;
  // The longest match of the destination, in either direction.
  std::optional<Binding> binding = std::nullopt;
  // Onboarded, around the destination; pending ones too.
  std::optional<lpm::AnyPrefix> prefix = std::nullopt;
};

// Rows 3 to 8 of the semantics, section 2, and `accept`; but that neighbour discovery, which no
// query describes, goes to the kernel. Reads the BindingSet alone, never a trie, so that the two
// can be held against each other. O(bits of an address x log prefixes +
// log bindings).
[[nodiscard]] Explanation explain(const BindingSet& bindings, const dataplane::Settings& settings,
                                  const Query& query);

}  // namespace control
