// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "control/api/state.hpp"
#include "control/binding_set.hpp"
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

// What open_data_directory() would come to.
struct Foreseen {
  BindingSet bindings;
  std::string store;  // what is there, and what would become of it
};
// Refuses what open_data_directory() would refuse, and changes nothing on the disk, whether a
// steerd has the store open or not (SqliteSnapshot). Throws StartError.
[[nodiscard]] Foreseen foresee_data_directory(const std::filesystem::path& directory,
                                              const BindingRules& rules);

}  // namespace control::daemon
