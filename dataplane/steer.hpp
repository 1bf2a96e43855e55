// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/frame.hpp"
#include "dataplane/port.hpp"
#include "dataplane/table.hpp"
#include "dataplane/verdict.hpp"

// The decision about packets: a pure function of the bytes, the port they came from and the table.
// No I/O, no allocation, no state.
namespace dataplane {

struct Decision {
  Verdict verdict = Verdict::drop_malformed_ethernet;
  // The longest match of the destination, in both directions; empty for what never got as far as
  // the lookup (malformed, not IP, no role, wrong checksum).
  Match match;
};

inline constexpr std::size_t kBurstMax = lpm::Trie4::kBurstMax;

// Decides a burst that one port received, after section 2 of the semantics. Both spans of one size,
// at most kBurstMax. Total: any bytes give a verdict. Thread safe.
void steer(const Table& table, const Port& port, std::span<const Frame> frames,
           std::span<Decision> decisions) noexcept;

}  // namespace dataplane
