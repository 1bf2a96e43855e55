// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/persisted.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "control/daemon/instance.hpp"
#include "control/store/migration.hpp"
#include "control/store/sqlite_snapshot.hpp"
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

// The directory, or what it would be made in.
fs::path nearest(const fs::path& directory, std::error_code& error) {
  fs::path there = fs::absolute(directory).lexically_normal();
  while (!fs::exists(there, error) && !error && there.has_relative_path())
    there = there.parent_path();
  return there;
}

// A store that is not there, unless it could not be made.
std::string foresee_new(const fs::path& directory) {
  std::error_code error;
  const fs::path there = nearest(directory, error);
  if (!error && !fs::is_directory(there, error) && !error)
    error = std::make_error_code(std::errc::not_a_directory);
  if (error)
    throw StartError(fmt::format("data-directory: {}: {}: {}", directory.string(), there.string(),
                                 error.message()));
  return fmt::format("{}: would be made", store_path(directory).string());
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

Foreseen foresee_data_directory(const fs::path& directory, const BindingRules& rules) {
  const fs::path path = store_path(directory);
  std::error_code error;
  const bool is_there = fs::exists(path, error);
  if (!is_there && (!error || error == std::errc::not_a_directory))
    return {.bindings = BindingSet(rules), .store = foresee_new(directory)};
  if (error) throw StartError(fmt::format("{}: {}", path.string(), error.message()));
  auto snapshot = store::SqliteSnapshot::take(path);
  if (!snapshot) throw StartError(snapshot.error().message);
  api::State state(rules);
  if (const auto loaded = state.load(**snapshot); !loaded) throw StartError(loaded.error().message);
  const int schema = (*snapshot)->schema();
  Foreseen foreseen{.bindings = state.bindings(),
                    .store = fmt::format("{}: schema {}, generation {}", path.string(), schema,
                                         state.generation())};
  if (schema == 0)
    foreseen.store = fmt::format("{}: is empty, would be made", path.string());
  else if (schema != store::kSchema)
    foreseen.store += fmt::format("; would be brought to schema {}", store::kSchema);
  return foreseen;
}

}  // namespace control::daemon
