// SPDX-License-Identifier: BSD-3-Clause
#include "control/store/migration.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>

#include "control/store/schema.hpp"
#include "control/store/store_fault.hpp"
#include "control/store/transaction.hpp"

namespace control::store {

static_assert(std::size(kMigrations) == kSchema);

int schema_of(Database& database) {
  const bool is_empty = database.number("SELECT count(*) FROM sqlite_master") == 0;
  const std::int64_t application = database.number("PRAGMA application_id");
  const std::int64_t version = database.number("PRAGMA user_version");
  if (!is_empty && application != kApplicationId)
    throw StoreFault("it is a database, but no store of steer; name another file");
  if (version < 0)
    throw StoreFault(fmt::format("{} (schema {})", advice_for(SQLITE_CORRUPT), version));
  if (version > kSchema)
    throw StoreFault(
        fmt::format("a newer steer wrote it (schema {}; this one knows {}): start that one, or "
                    "restore a copy from before; it was not changed",
                    version, kSchema));
  return static_cast<int>(version);
}

void migrate(Database& database) {
  const int schema = schema_of(database);
  if (schema == kSchema) return;
  Transaction transaction(database);
  for (int from = schema; from < kSchema; ++from)
    database.execute(kMigrations[static_cast<std::size_t>(from)]);
  database.execute(
      fmt::format("PRAGMA application_id={}; PRAGMA user_version={}", kApplicationId, kSchema)
          .c_str());
  transaction.commit();
}

void refuse_damage(Database& database) {
  const std::string damage = database.text("PRAGMA quick_check(1)");
  if (damage != "ok") throw StoreFault(fmt::format("{} ({})", advice_for(SQLITE_CORRUPT), damage));
}

}  // namespace control::store
