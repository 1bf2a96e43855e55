// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>

#include "dataplane/service.hpp"
#include "lpm/prefix.hpp"

namespace control {

// One change to a BindingSet. Several make a change set: see BindingSet::apply().
struct Change {
  enum class Kind : std::uint8_t {
    add_prefix,
    remove_prefix,
    add_binding,
    remove_binding,
    change_service,
  };

  Kind kind = Kind::add_prefix;
  // remove_prefix: whether the bindings go with it; else they have to be gone.
  bool cascade = false;
  // add_binding, change_service. Empty: whoever read the change found no such service. The change
  // set is refused then, but everything that does not depend on this service is still judged, so
  // that all errors are reported at once.
  std::optional<dataplane::Service> service = std::nullopt;
  lpm::AnyPrefix prefix;
  // Of the binding; equal to `prefix` for the default binding.
  lpm::AnyPrefix cidr;

  [[nodiscard]] static Change add_prefix(const lpm::AnyPrefix& prefix) {
    return {.kind = Kind::add_prefix, .prefix = prefix, .cidr = prefix};
  }
  [[nodiscard]] static Change remove_prefix(const lpm::AnyPrefix& prefix, bool cascade) {
    return {.kind = Kind::remove_prefix, .cascade = cascade, .prefix = prefix, .cidr = prefix};
  }
  // Which binding: its prefix and its own CIDR.
  struct At {
    lpm::AnyPrefix prefix;
    lpm::AnyPrefix cidr;
  };
  [[nodiscard]] static Change add_binding(const At& at, std::optional<dataplane::Service> service) {
    return {.kind = Kind::add_binding, .service = service, .prefix = at.prefix, .cidr = at.cidr};
  }
  [[nodiscard]] static Change remove_binding(const At& at) {
    return {.kind = Kind::remove_binding, .prefix = at.prefix, .cidr = at.cidr};
  }
  [[nodiscard]] static Change change_service(const At& at,
                                             std::optional<dataplane::Service> service) {
    return {.kind = Kind::change_service, .service = service, .prefix = at.prefix, .cidr = at.cidr};
  }
};

}  // namespace control
