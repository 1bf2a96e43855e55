// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/privileges.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "control/daemon/instance.hpp"

namespace control::daemon {

UserIds ids_of(const std::string& user) {
  // Once, at start, before there are threads.
  const passwd* const entry = getpwnam(user.c_str());  // NOLINT(concurrency-mt-unsafe)
  if (entry == nullptr)
    throw StartError(
        fmt::format("user: there is no user {}; run: useradd --system {}", user, user));
  return {entry->pw_uid, entry->pw_gid};
}

void become(const UserIds& ids) {
  // The C library does each of these in all threads. A change from root to another user clears the
  // capabilities of a thread.
  if (setgroups(0, nullptr) != 0 || setresgid(ids.group, ids.group, ids.group) != 0 ||
      setresuid(ids.user, ids.user, ids.user) != 0)
    throw StartError(
        fmt::format("the rights of the start cannot be given up ({}): start as root, "
                    "or leave user out",
                    std::strerror(errno)));
  prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL);
}

}  // namespace control::daemon
