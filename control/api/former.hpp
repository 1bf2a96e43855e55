// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "control/store/rows.hpp"

// What there was before a change set, as the history keeps it for a rollback: a line of JSON for
// each prefix and binding that it touched.
//
//   ["p","203.0.113.0/24"]                      was not there
//   ["p","203.0.113.0/24",ID,ACCOUNT,ASN,DESCRIPTION,LOA,CREATED_BY,CREATED_AT]
//   ["b","203.0.113.1/32"]
//   ["b","203.0.113.1/32",PREFIX,ID,SERVICE,CREATED_BY,CREATED_AT]
namespace control::api {

// row: null: it was not there.
void append_former(std::string& to, const lpm::AnyPrefix& cidr, const store::PrefixRow* row);
void append_former(std::string& to, const lpm::AnyPrefix& cidr, const store::BindingRow* row);

// What there was at some generation of all that was touched since; nullopt: nothing.
struct Former {
  std::map<lpm::AnyPrefix, std::optional<store::PrefixRow>> prefixes;
  std::map<lpm::AnyPrefix, std::optional<store::BindingRow>> bindings;

  // Goes back by one change set, with its lines. An error: they are none.
  [[nodiscard]] std::expected<void, std::string> go_back(std::string_view lines);
};

}  // namespace control::api
