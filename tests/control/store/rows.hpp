// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "control/store/store.hpp"

// What tests of stores write and read.
namespace support {

inline lpm::AnyPrefix cidr(const char* text) {
  return lpm::parse_prefix(text).value();
}

struct Everything final : control::store::StateReader {
  void prefix(control::store::PrefixRow&& row) override { prefixes.push_back(std::move(row)); }
  void binding(control::store::BindingRow&& row) override { bindings.push_back(row); }
  void deleted(control::store::DeletedRow&& row) override { gone.push_back(row); }
  void token(control::store::TokenRow&& row) override { tokens.push_back(std::move(row)); }
  void loss(control::Loss&& loss) override { losses.push_back(std::move(loss)); }

  std::uint64_t generation = 0;
  std::vector<control::store::PrefixRow> prefixes;
  std::vector<control::store::BindingRow> bindings;
  std::vector<control::store::DeletedRow> gone;
  std::vector<control::store::TokenRow> tokens;
  std::vector<control::Loss> losses;
};

// What the nth change set puts.
inline control::store::BindingRow binding_row(std::uint64_t n) {
  control::store::BindingRow row;
  row.id = control::ObjectId::random();
  row.prefix = cidr("203.0.113.0/24");
  row.cidr = lpm::Prefix4::enclosing({static_cast<std::uint32_t>(0xcb007100 + n)}, 32);
  row.service = dataplane::Service::cdn;
  row.created_by = 1;
  row.created_at = row.modified_at = 1'700'000'000'000'000;
  row.generation = n;
  return row;
}

}  // namespace support
