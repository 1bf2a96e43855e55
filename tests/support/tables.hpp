// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "dataplane/table.hpp"
#include "lpm/prefix.hpp"

namespace support {

struct Bound {
  std::string_view cidr;
  dataplane::Service service;
};

// A table of these bindings, numbered from 1 in their order.
inline dataplane::Table table_of(const std::vector<Bound>& bindings,
                                 const dataplane::Settings& settings = {},
                                 std::uint64_t generation = 1,
                                 dataplane::HostAddresses hosts = {}) {
  lpm::RouteSet4 routes4;
  lpm::RouteSet6 routes6;
  std::uint32_t number = 0;
  for (const Bound& binding : bindings) {
    const lpm::Value word = dataplane::Match::of(binding.service, ++number).word();
    const lpm::AnyPrefix cidr = lpm::parse_prefix(binding.cidr).value();
    if (const auto* const cidr4 = std::get_if<lpm::Prefix4>(&cidr))
      routes4.insert(*cidr4, word);
    else
      routes6.insert(std::get<lpm::Prefix6>(cidr), word);
  }
  return {generation, std::make_shared<const dataplane::Policy>(settings, std::move(hosts)),
          std::move(routes4), std::move(routes6), number};
}

}  // namespace support
