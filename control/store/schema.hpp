// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>

// What a store looks like inside. `sqlite3 FILE .dump` shows it; texts are readable on purpose.
namespace control::store {

// PRAGMA application_id: "STER".
inline constexpr int kApplicationId = 0x53544552;

// The nth brings a file from schema n to n + 1. Never changed once released; appended to.
inline constexpr std::array kMigrations{
    R"(
CREATE TABLE generation (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  number   INTEGER NOT NULL
) STRICT;
INSERT INTO generation VALUES (1, 0);

CREATE TABLE prefixes (
  cidr            TEXT PRIMARY KEY,
  id              BLOB NOT NULL,
  account         TEXT NOT NULL,
  asn             INTEGER NOT NULL,
  description     TEXT NOT NULL,
  loa_document_id TEXT NOT NULL,
  created_by      INTEGER NOT NULL,
  created_at      INTEGER NOT NULL,
  modified_at     INTEGER NOT NULL,
  generation      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE bindings (
  cidr        TEXT PRIMARY KEY,
  prefix      TEXT NOT NULL,
  id          BLOB NOT NULL,
  service     TEXT NOT NULL,
  created_by  INTEGER NOT NULL,
  created_at  INTEGER NOT NULL,
  modified_at INTEGER NOT NULL,
  generation  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE deleted (
  id         BLOB PRIMARY KEY,
  deleted_by INTEGER NOT NULL,
  deleted_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX deleted_by_time ON deleted (deleted_at);

CREATE TABLE tokens (
  number     INTEGER PRIMARY KEY,
  name       TEXT NOT NULL,
  may_write  INTEGER NOT NULL,
  account    TEXT NOT NULL,
  hash       BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  revoked_at INTEGER
) STRICT;

CREATE TABLE history (
  generation INTEGER PRIMARY KEY,
  at         INTEGER NOT NULL,
  token      INTEGER NOT NULL,
  who        TEXT NOT NULL,
  what       TEXT NOT NULL
) STRICT;
)",
    // Rollback, and the guard's memory. What older histories say is not enough to go back by.
    R"(
ALTER TABLE history ADD COLUMN before TEXT NOT NULL DEFAULT '';
ALTER TABLE generation ADD COLUMN rollback_from INTEGER NOT NULL DEFAULT 0;
UPDATE generation SET rollback_from = number;

CREATE TABLE losses (
  kind          TEXT NOT NULL,
  cidr          TEXT NOT NULL,
  account       TEXT NOT NULL,
  before        TEXT NOT NULL,
  is_gone       INTEGER NOT NULL,
  is_unsteered  INTEGER NOT NULL,
  addresses     TEXT NOT NULL,
  at            INTEGER NOT NULL,
  PRIMARY KEY (kind, cidr)
) STRICT, WITHOUT ROWID;
CREATE INDEX losses_by_time ON losses (at);
)"};

}  // namespace control::store
