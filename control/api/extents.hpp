// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <map>
#include <string>

#include "control/guard.hpp"
#include "control/store/rows.hpp"

namespace control::api {

// How much every account has, counted along with the rows of a Catalog. Rows may come and go in any
// order: bindings without their prefix count for no account until it is there.
//
// Not thread safe: one owner.
class Extents {
 public:
  void put(const store::PrefixRow& row);
  void drop(const store::PrefixRow& row);
  // Only what was not there.
  void add(const store::BindingRow& row);
  void drop(const store::BindingRow& row);

  [[nodiscard]] Guard::Before view() const noexcept { return {all_, by_account_}; }

 private:
  // Of one prefix.
  struct Own {
    std::string account;
    Extent extent;
  };
  // Makes a change to what a prefix has, and to the sums with it.
  void change(const lpm::AnyPrefix& prefix, const std::function<void(Own&)>& how);

  std::map<lpm::AnyPrefix, Own> own_;
  std::map<std::string, Extent, std::less<>> by_account_;
  Extent all_;
};

}  // namespace control::api
