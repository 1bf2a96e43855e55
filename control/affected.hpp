// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>
#include <vector>

#include "control/bindings.hpp"

namespace control {

// The blocks of one prefix that a change set names.
struct NamedBlocks {
  // Sorted, each once, inside the prefix.
  std::span<const lpm::AnyPrefix> cidrs;
  // The default is the first of them, and goes: then all others are wrong, and the first of them is
  // enough to know.
  bool is_default_gone = false;
  // Whether there are others matters: the prefix is to go.
  bool must_be_all = false;
};

// The bindings of a prefix that it depends on whether a change set breaks a rule, since it holds
// for the others as it did before: those on the CIDRs that it names, all around these, and of the
// others inside them those that nothing but these lies around. If asked for, also the first that
// is not named. Judged alone they give the violations that all of them would.
//
// Sorted. O((n + found) log bindings) for n blocks, times how deep blocks around them are nested.
// Throws std::bad_alloc.
[[nodiscard]] std::vector<Binding> affected_by(const NamedBlocks& named, const Bindings& bindings);

}  // namespace control
