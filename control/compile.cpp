// SPDX-License-Identifier: BSD-3-Clause
#include "control/compile.hpp"

#include <utility>
#include <variant>

namespace control {

CompiledTable compile(const BindingSet& bindings, const dataplane::Settings& settings,
                      std::uint64_t generation) {
  lpm::RouteSet4 routes4;
  lpm::RouteSet6 routes6;
  const auto add = [&](const lpm::AnyPrefix& cidr, lpm::Value word) {
    if (const auto* const cidr4 = std::get_if<lpm::Prefix4>(&cidr))
      routes4.insert(*cidr4, word);
    else
      routes6.insert(std::get<lpm::Prefix6>(cidr), word);
  };
  std::vector<Binding> by_number(1);
  by_number.reserve(bindings.binding_count() + 1);
  for (const auto& [prefix, own] : bindings.prefixes()) {
    // Not steered, but known: egress traffic to it is not traffic to strangers.
    if (own->empty()) add(prefix, dataplane::Match::kPendingPrefix);
    for (const Binding& binding : *own) {
      // BindingSet keeps to BindingRules::bindings_max, so that every number fits.
      const auto number = static_cast<std::uint32_t>(by_number.size());
      add(binding.cidr, dataplane::Match::of(binding.service, number).word());
      by_number.push_back(binding);
    }
  }
  const auto count = static_cast<std::uint32_t>(by_number.size() - 1);
  return {std::make_unique<const dataplane::Table>(generation, settings, std::move(routes4),
                                                   std::move(routes6), count),
          std::move(by_number)};
}

}  // namespace control
