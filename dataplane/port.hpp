// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "dataplane/table.hpp"

namespace dataplane {

inline constexpr std::size_t kVlans = 4096;
// The role of each VLAN of a port, by VLAN identifier; nullopt: no role.
using VlanRoles = std::array<std::optional<Direction>, kVlans>;

// What steering has to know about the port that a packet arrived on. The direction of a packet
// comes from here alone, never from its addresses.
struct Port {
  // Of untagged and priority-tagged (VLAN 0) frames, and of tagged ones where vlan_roles is null.
  std::optional<Direction> role = Direction::ingress;
  // Decides by the outer tag; not owned, outlives the port's use. Null: tags do not matter.
  const VlanRoles* vlan_roles = nullptr;
  // Whether packets can be given to the kernel: if not, the verdicts kernel_* become drops.
  bool kernel_path = false;
};

}  // namespace dataplane
