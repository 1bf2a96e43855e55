// SPDX-License-Identifier: BSD-3-Clause
#include "control/compile.hpp"

#include <new>
#include <utility>

#include "control/table_maker.hpp"

namespace control {

CompiledTable compile(const BindingSet& bindings, const dataplane::Settings& settings,
                      std::uint64_t generation, dataplane::HostAddresses hosts) {
  TableMaker maker(static_cast<std::uint32_t>(bindings.binding_count()));
  auto policy = std::make_shared<const dataplane::Policy>(settings, std::move(hosts));
  auto table = maker.prepare(difference(BindingSet(), bindings), std::move(policy), generation);
  if (!table) throw std::bad_alloc();  // there is a number for each
  maker.commit();
  std::vector<Binding> by_number(1);
  by_number.reserve(bindings.binding_count() + 1);
  for (const auto& [prefix, own] : bindings.prefixes())
    by_number.insert(by_number.end(), own->begin(), own->end());
  return {.table = std::move(*table), .bindings_by_number = std::move(by_number)};
}

}  // namespace control
