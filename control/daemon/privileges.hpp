// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

namespace control::daemon {

struct UserIds {
  unsigned user = 0;
  unsigned group = 0;
};

// Throws StartError: there is no such user.
[[nodiscard]] UserIds ids_of(const std::string& user);

// Becomes this user with all threads, without any capability, for good. Everything that needs more
// (devices, XDP, memory) is open by then, and nothing later needs more. Throws StartError.
void become(const UserIds& ids);

}  // namespace control::daemon
