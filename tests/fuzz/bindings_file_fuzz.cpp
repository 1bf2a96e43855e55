// SPDX-License-Identifier: BSD-3-Clause
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <variant>

#include "control/bindings_file.hpp"
#include "control/compile.hpp"
#include "control/explain.hpp"

namespace {

// The fuzzer counts an abort as a finding.
void require(bool condition) {
  if (!condition) std::abort();
}

dataplane::Match lookup(const dataplane::Table& table,
                        const std::variant<lpm::Address4, lpm::Address6>& address) {
  if (const auto* const address4 = std::get_if<lpm::Address4>(&address))
    return dataplane::Match(table.trie4().lookup(*address4));
  return dataplane::Match(table.trie6().lookup(std::get<lpm::Address6>(address)));
}

// Of every binding: the address it starts with is owned by a binding around it, and the table knows
// the same one.
void check(const control::BindingSet& set) {
  const dataplane::Settings settings;
  const control::CompiledTable compiled = control::compile(set, settings, 1);
  for (const control::Binding& binding : compiled.bindings_by_number) {
    if (&binding == &compiled.bindings_by_number.front()) continue;
    control::Query query;
    std::visit([&](const auto& block) { query.destination = block.network(); }, binding.cidr);
    const control::Explanation explanation = control::explain(set, settings, query);
    require(explanation.binding.has_value() && explanation.prefix.has_value());
    require(control::contains(binding.cidr, explanation.binding->cidr));
    require(control::contains(*explanation.prefix, binding.cidr));
    const dataplane::Match match = lookup(*compiled.table, query.destination);
    require(match.is_bound() && match.service() == explanation.binding->service);
    require(compiled.bindings_by_number[match.binding()] == *explanation.binding);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = control::parse_bindings(text, {});
  if (parsed) {
    check(*parsed);
    return 0;
  }
  require(!parsed.error().empty());
  for (const control::FileError& error : parsed.error())
    require(!to_string(error, "FILE").empty() && error.place.line > 0);
  return 0;
}
