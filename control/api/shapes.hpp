// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "control/store/rows.hpp"

// The objects of the wire format, as JSON.
namespace control::api {

// How far a change has come on this host.
struct Progress {
  std::uint64_t active = 0;      // the generation that every worker has passed
  bool magic_transit_up = true;  // its output is there and up
};

// "provisioning", "active" or "magic_transit_route_missing".
[[nodiscard]] std::string_view state_of(const store::BindingRow& row, const Progress& progress);

void append_binding(std::string& to, const store::BindingRow& row, const Progress& progress);
void append_prefix(std::string& to, const store::PrefixRow& row);
[[nodiscard]] std::string services_json();

// Services have the same ids on every host.
[[nodiscard]] std::string_view id_of(dataplane::Service service) noexcept;
[[nodiscard]] std::optional<dataplane::Service> service_with_id(std::string_view id) noexcept;
// As clients show it.
[[nodiscard]] std::string_view title_of(dataplane::Service service) noexcept;

}  // namespace control::api
