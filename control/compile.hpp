// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "control/binding_set.hpp"
#include "dataplane/table.hpp"

namespace control {

struct CompiledTable {
  std::unique_ptr<const dataplane::Table> table;
  // The binding that Match::binding() means; the first is unused, as 0 means none there.
  std::vector<Binding> bindings_by_number;
};

// A table that is made once; a TableMaker makes those that change. Bindings are numbered from 1 in
// the order of the prefixes and of the bindings in each. O(n log n). Throws std::bad_alloc.
[[nodiscard]] CompiledTable compile(const BindingSet& bindings, const dataplane::Settings& settings,
                                    std::uint64_t generation, dataplane::HostAddresses hosts = {});

}  // namespace control
