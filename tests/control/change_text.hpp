// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <gtest/gtest.h>

#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "control/binding_set.hpp"

// Change sets as text, for tables of cases.
namespace change_text {

inline lpm::AnyPrefix cidr(std::string_view text) {
  return lpm::parse_prefix(text).value();
}

// One change a line or between semicolons:
//   onboard PREFIX | offboard PREFIX [cascade]
//   bind PREFIX CIDR SERVICE | unbind PREFIX CIDR | move PREFIX CIDR SERVICE
// An unknown service stays open. Throws on anything else: tests are at fault then.
inline control::Change change(const std::string& text) {
  std::istringstream words(text);
  std::string verb, prefix, block, service;
  words >> verb >> prefix >> block >> service;
  if (verb == "onboard") return control::Change::add_prefix(cidr(prefix));
  if (verb == "offboard") return control::Change::remove_prefix(cidr(prefix), block == "cascade");
  const control::Change::At at{cidr(prefix), cidr(block)};
  if (verb == "bind") return control::Change::add_binding(at, dataplane::service_named(service));
  if (verb == "unbind") return control::Change::remove_binding(at);
  if (verb == "move") return control::Change::change_service(at, dataplane::service_named(service));
  throw std::invalid_argument("no such change: " + text);
}

inline std::vector<control::Change> changes(std::string_view text) {
  std::vector<control::Change> all;
  std::string one;
  std::istringstream lines{std::string(text)};
  while (std::getline(lines, one, ';')) all.push_back(change(one));
  return all;
}

// An empty text is an empty set.
inline control::BindingSet set_of(std::string_view text, const control::BindingRules& rules = {}) {
  control::BindingSet set(rules);
  const auto applied = set.apply(changes(text));
  if (!applied) throw std::invalid_argument("breaks a rule: " + applied.error().front().message);
  return set;
}

}  // namespace change_text
