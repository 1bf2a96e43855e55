// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/extents.hpp"

namespace control::api {
namespace {

void add_to(Extent& sum, const Extent& one) {
  sum.bindings += one.bindings;
  sum.prefixes += one.prefixes;
  sum.addresses.v4 += one.addresses.v4;
  sum.addresses.v6 += one.addresses.v6;
}

void take_from(Extent& sum, const Extent& one) {
  sum.bindings -= one.bindings;
  sum.prefixes -= one.prefixes;
  sum.addresses.v4 -= one.addresses.v4;
  sum.addresses.v6 -= one.addresses.v6;
}

}  // namespace

void Extents::change(const lpm::AnyPrefix& prefix, const std::function<void(Own&)>& how) {
  const auto place = own_.try_emplace(prefix).first;
  Own& own = place->second;
  take_from(all_, own.extent);
  const auto before = by_account_.try_emplace(own.account).first;
  take_from(before->second, own.extent);
  if (before->second == Extent{}) by_account_.erase(before);
  how(own);
  add_to(all_, own.extent);
  if (own.extent == Extent{}) {
    own_.erase(place);
    return;
  }
  add_to(by_account_[own.account], own.extent);
}

void Extents::put(const store::PrefixRow& row) {
  change(row.cidr, [&](Own& own) {
    own.account = row.account;
    own.extent.prefixes = 1;
  });
}

void Extents::drop(const store::PrefixRow& row) {
  change(row.cidr, [](Own& own) { own.extent.prefixes = 0; });
}

void Extents::add(const store::BindingRow& row) {
  change(row.prefix, [&](Own& own) {
    ++own.extent.bindings;
    if (row.cidr == row.prefix) own.extent.addresses.of(row.cidr) = size_of(row.cidr);
  });
}

void Extents::drop(const store::BindingRow& row) {
  change(row.prefix, [&](Own& own) {
    --own.extent.bindings;
    if (row.cidr == row.prefix) own.extent.addresses.of(row.cidr) = 0;
  });
}

}  // namespace control::api
