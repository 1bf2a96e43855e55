// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace dataplane {

// The three services that a packet can leave through. The numbers are those of a Match (match.hpp),
// where 0 stands for "no binding".
enum class Service : std::uint8_t { magic_transit = 1, cdn = 2, spectrum = 3 };

inline constexpr std::array kServices{Service::magic_transit, Service::cdn, Service::spectrum};

// As in binding files, counters and file names.
[[nodiscard]] constexpr std::string_view name_of(Service service) noexcept {
  switch (service) {
    case Service::magic_transit:
      return "magic_transit";
    case Service::cdn:
      return "cdn";
    case Service::spectrum:
      return "spectrum";
  }
  return "";
}

[[nodiscard]] constexpr std::optional<Service> service_named(std::string_view name) noexcept {
  for (const Service service : kServices)
    if (name == name_of(service)) return service;
  return std::nullopt;
}

}  // namespace dataplane
