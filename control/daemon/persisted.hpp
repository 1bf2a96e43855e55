// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "control/api/state.hpp"
#include "control/daemon/config.hpp"
#include "control/daemon/privileges.hpp"
#include "control/store/store.hpp"

namespace control::daemon {

// What the API has been told before, and where it is kept.
struct Persisted {
  std::unique_ptr<store::Store> store;
  api::State state;
};

[[nodiscard]] std::filesystem::path store_path(const std::filesystem::path& data_directory);

// Opens the store of a data directory, which is made where it is not there; for the eyes of its
// owner alone. owner: whose the files are to be. Throws StartError.
[[nodiscard]] Persisted open_data_directory(const std::filesystem::path& directory,
                                            const BindingRules& rules,
                                            const std::optional<UserIds>& owner);

}  // namespace control::daemon
