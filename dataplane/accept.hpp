// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "dataplane/parse.hpp"
#include "dataplane/service.hpp"
#include "dataplane/table.hpp"

namespace dataplane {

// Whether a service takes this traffic; what it does not take flows through Magic Transit. Always
// true of Magic Transit and of a service whose setting is `any`.
[[nodiscard]] bool accepts(const Settings& settings, Service service,
                           const Transport& transport) noexcept;
// The same, of an unfragmented datagram of TCP (6) or UDP (17).
[[nodiscard]] bool accepts_datagram(const Settings& settings, Service service,
                                    std::uint8_t protocol, std::uint16_t port) noexcept;

}  // namespace dataplane
