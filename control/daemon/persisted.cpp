// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/persisted.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "control/daemon/instance.hpp"
#include "control/store/sqlite_store.hpp"

namespace control::daemon {
namespace {

namespace fs = std::filesystem;

void give(const fs::path& directory, const UserIds& owner) {
  std::error_code ignored;
  [[maybe_unused]] int unable = chown(directory.c_str(), owner.user, owner.group);
  for (const auto& entry : fs::directory_iterator(directory, ignored))
    if (entry.is_regular_file(ignored) && entry.path().filename().string().starts_with("steer.db"))
      unable = lchown(entry.path().c_str(), owner.user, owner.group);
}

}  // namespace

fs::path store_path(const fs::path& data_directory) {
  return data_directory / "steer.db";
}

Persisted open_data_directory(const fs::path& directory, const BindingRules& rules,
                              const std::optional<UserIds>& owner) {
  const mode_t before = umask(0077);
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) {
    umask(before);
    throw StartError(
        fmt::format("data-directory: {} cannot be made: {}", directory.string(), error.message()));
  }
  auto store = store::SqliteStore::open(store_path(directory));
  umask(before);
  if (!store) throw StartError(store.error().message);
  Persisted persisted{.store = std::move(*store), .state = api::State(rules)};
  auto loaded = persisted.state.load(*persisted.store);
  if (loaded && persisted.state.generation() == 0) {
    // Generations of tables count from 1.
    loaded = persisted.store->write({.generation_before = 0, .generation_after = 1});
    if (loaded) loaded = persisted.state.load(*persisted.store);
  }
  if (!loaded) throw StartError(loaded.error().message);
  if (owner) give(directory, *owner);
  return persisted;
}

}  // namespace control::daemon
