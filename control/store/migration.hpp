// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "control/store/sqlite.hpp"

// From the schema that a file has to the one that this program writes.
namespace control::store {

// Version of the schema that this program writes.
inline constexpr int kSchema = 2;

// Of the file; 0: it is empty. Throws SqliteError; StoreFault where it is none of steer's, or comes
// from a newer steer.
[[nodiscard]] int schema_of(Database& database);

// Makes the schema of an empty file, or brings an older one up to date: one transaction. Throws as
// schema_of() does.
void migrate(Database& database);

// Reads all of it. Throws StoreFault where the file is damaged.
void refuse_damage(Database& database);

}  // namespace control::store
