// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/history.hpp"

#include <fmt/format.h>

#include <iterator>

namespace control::api {

std::string history_text(std::span<const NetChange> changes) {
  std::string text;
  const auto to = std::back_inserter(text);
  for (const NetChange& change : changes) {
    const std::string cidr = to_string(change.cidr);
    if (change.is_edit)
      fmt::format_to(to, "=prefix {} edited\n", cidr);
    else if (change.is_prefix)
      fmt::format_to(to, "{}prefix {}\n", change.before ? '-' : '+', cidr);
    else if (change.before && change.after)
      fmt::format_to(to, "=binding {} {} -> {} in {}\n", cidr, name_of(*change.before),
                     name_of(*change.after), to_string(change.prefix));
    else
      fmt::format_to(to, "{}binding {} {} in {}\n", change.before ? '-' : '+', cidr,
                     name_of(change.before ? *change.before : *change.after),
                     to_string(change.prefix));
  }
  return text;
}

}  // namespace control::api
