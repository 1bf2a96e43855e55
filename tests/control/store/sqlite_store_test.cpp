// SPDX-License-Identifier: BSD-3-Clause
#include "control/store/sqlite_store.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "control/store/schema.hpp"
#include "control/store/sqlite.hpp"
#include "tests/control/store/rows.hpp"
#include "tests/support/fault_vfs.hpp"
#include "tests/support/program.hpp"

namespace {

using namespace control;
using namespace control::store;
using support::FaultVfs;

using support::cidr;
using support::Everything;

class SqliteStoreTest : public testing::Test {
 protected:
  void TearDown() override { FaultVfs::instance().clear(); }

  [[nodiscard]] std::unique_ptr<SqliteStore> open() {
    FaultVfs::instance();
    auto store = SqliteStore::open(path_, {.vfs = FaultVfs::kName});
    EXPECT_TRUE(store) << store.error().message;
    return std::move(*store);
  }
  static std::unique_ptr<Everything> all_of(SqliteStore& store) {
    auto all = std::make_unique<Everything>();
    const auto generation = store.load(*all);
    EXPECT_TRUE(generation) << generation.error().message;
    all->generation = generation.value_or(0);
    return all;
  }
  // What a start would find, seen by a connection of its own.
  std::unique_ptr<Everything> on_disk() { return all_of(*open()); }

  static BindingRow binding(std::uint64_t n) { return support::binding_row(n); }
  static std::expected<void, StoreError> write(SqliteStore& store, const BindingRow& row) {
    return store.write({.generation_before = row.generation - 1,
                        .generation_after = row.generation,
                        .bindings = {&row},
                        .history = {{row.generation, row.created_at, 1, "test", "a change"}}});
  }
  static void refuses(const std::expected<void, StoreError>& written, const char* why) {
    ASSERT_FALSE(written);
    EXPECT_NE(written.error().message.find(why), std::string::npos) << written.error().message;
  }

  support::Scratch scratch_;
  support::fs::path path_ = scratch_ / "steer.db";
};

TEST_F(SqliteStoreTest, GivesBackWhatItWasGiven) {
  const PrefixRow prefix{.id = ObjectId::random(),
                         .account = "a\u00e9\"'",
                         .cidr = cidr("2001:db8::/48"),
                         .asn = 4'294'967'295U,
                         .description = std::string("two\nlines", 9),
                         .loa_document_id = "loa",
                         .created_by = 2,
                         .created_at = 1,
                         .modified_at = 2,
                         .generation = 1};
  const BindingRow row = binding(1);
  const DeletedRow gone{.id = ObjectId::random(), .by = 7, .at = 50};
  TokenRow token{.number = 3, .name = "ci", .may_write = true, .account = "acme"};
  token.hash.fill(0xab);
  token.revoked_at = 99;
  {
    const auto store = open();
    EXPECT_EQ(all_of(*store)->generation, 0U);
    ASSERT_TRUE(store->write({.generation_after = 1,
                              .prefixes = {&prefix},
                              .bindings = {&row},
                              .deleted = {gone},
                              .tokens = {token},
                              .history = {{1, 5, 3, "ci", "what"}}}));
  }
  const auto all = on_disk();
  EXPECT_EQ(all->generation, 1U);
  EXPECT_EQ(all->prefixes, std::vector{prefix});
  EXPECT_EQ(all->bindings, std::vector{row});
  EXPECT_EQ(all->gone, std::vector{gone});
  EXPECT_EQ(all->tokens, std::vector{token});
  const auto history = open()->history({});
  ASSERT_TRUE(history);
  EXPECT_EQ(*history, (std::vector<HistoryRow>{{1, 5, 3, "ci", "what"}}));
}

TEST_F(SqliteStoreTest, DropsReplacesAndForgets) {
  const auto store = open();
  const BindingRow first = binding(1);
  ASSERT_TRUE(write(*store, first));
  BindingRow second = binding(2);
  ASSERT_TRUE(write(*store, second));
  second.service = dataplane::Service::spectrum;
  second.generation = 3;
  ASSERT_TRUE(store->write({.generation_before = 2,
                            .generation_after = 3,
                            .dropped_bindings = {first.cidr},
                            .bindings = {&second},
                            .deleted = {{first.id, 1, 100}}}));
  EXPECT_EQ(on_disk()->bindings, std::vector{second});
  ASSERT_TRUE(store->write({.generation_before = 3, .generation_after = 4, .deleted_since = 101}));
  EXPECT_TRUE(on_disk()->gone.empty());
}

TEST_F(SqliteStoreTest, TellsTheHistoryLatestFirst) {
  const auto store = open();
  for (std::uint64_t n = 1; n <= 5; ++n) ASSERT_TRUE(write(*store, binding(n)));
  const auto some = store->history({.above = 1, .below = 5, .limit = 2, .with_what = false});
  ASSERT_TRUE(some);
  ASSERT_EQ(some->size(), 2U);
  EXPECT_EQ((*some)[0].generation, 4U);
  EXPECT_EQ((*some)[1].generation, 3U);
  EXPECT_EQ((*some)[0].what, "");
  // Of "a change" each.
  EXPECT_EQ(store->history({.bytes_max = 8}).value().size(), 1U);
  EXPECT_EQ(store->history({.bytes_max = 9}).value().size(), 2U);
}

// Each flush of a write can fail; whichever does, nothing of it stays, and the next write succeeds.
TEST_F(SqliteStoreTest, AFailedFlushLeavesNothing) {
  for (const int code : {SQLITE_IOERR_FSYNC, SQLITE_FULL, SQLITE_READONLY}) {
    for (int which = 0; which < 3; ++which) {
      support::fs::remove(path_);
      const auto store = open();
      ASSERT_TRUE(write(*store, binding(1)));
      int flushes = 0;
      FaultVfs::instance().on_sync([&] { return flushes++ == which ? code : SQLITE_OK; });
      const auto written = write(*store, binding(2));
      const bool has_failed = flushes > which;
      FaultVfs::instance().clear();
      EXPECT_EQ(!written, has_failed) << code << " at flush " << which;
      EXPECT_TRUE(has_failed || which > 0) << "a write without a flush";
      EXPECT_EQ(on_disk()->bindings.size(), has_failed ? 1U : 2U);
      const std::uint64_t next = has_failed ? 2 : 3;
      const auto after = write(*store, binding(next));
      EXPECT_TRUE(after) << after.error().message;
      EXPECT_EQ(on_disk()->generation, next);
    }
  }
}

// The flush may fail behind what it was to flush: on the disk it looks like a change that was made.
TEST_F(SqliteStoreTest, ARefusedChangeIsNotFoundByTheNextStart) {
  for (const bool is_disk_well_again : {false, true}) {
    support::fs::remove(path_);
    auto store = open();
    ASSERT_TRUE(write(*store, binding(1)));
    FaultVfs::instance().on_sync([] { return SQLITE_IOERR_FSYNC; });
    EXPECT_FALSE(write(*store, binding(2)));
    EXPECT_FALSE(write(*store, binding(2)));
    if (is_disk_well_again) {
      FaultVfs::instance().clear();
      EXPECT_TRUE(write(*store, binding(2)));
    }
    FaultVfs::instance().clear();
    store.reset();
    EXPECT_EQ(on_disk()->bindings.size(), is_disk_well_again ? 2U : 1U);
  }
}

TEST_F(SqliteStoreTest, AFullDiskIsSaidAndRecoveredFrom) {
  const auto store = open();
  ASSERT_TRUE(write(*store, binding(1)));
  FaultVfs::instance().on_write([] { return SQLITE_FULL; });
  for (int i = 0; i < 3; ++i)
    refuses(write(*store, binding(2)), "the disk is full: free some space");
  FaultVfs::instance().clear();
  EXPECT_TRUE(write(*store, binding(2)));
  EXPECT_EQ(on_disk()->bindings.size(), 2U);
}

TEST_F(SqliteStoreTest, ALockOfAnotherProcessIsSaidAndRecoveredFrom) {
  const auto store = open();
  ASSERT_TRUE(write(*store, binding(1)));
  Database other(path_, nullptr);
  other.execute("BEGIN IMMEDIATE");
  refuses(write(*store, binding(2)), "another process has locked it");
  other.execute("ROLLBACK");
  EXPECT_TRUE(write(*store, binding(2)));
}

TEST_F(SqliteStoreTest, AChangeByAnotherProcessIsNotOverwritten) {
  const auto store = open();
  ASSERT_TRUE(write(*store, binding(1)));
  ASSERT_TRUE(write(*open(), binding(2)));
  refuses(write(*store, binding(2)), "another process has changed it (generation 2 instead of 1)");
  EXPECT_EQ(on_disk()->generation, 2U);
}

TEST_F(SqliteStoreTest, ADamagedFileIsRefusedAndKept) {
  {
    const auto store = open();
    for (std::uint64_t n = 1; n <= 250; ++n) ASSERT_TRUE(write(*store, binding(n)));
  }
  const std::string good = support::contents_of(path_);
  ASSERT_GT(good.size(), 8192U);
  std::string torn = good.substr(0, good.size() / 2);
  std::string overwritten = good;
  std::ranges::fill(overwritten.begin() + 4096, overwritten.end(), 'x');
  for (const std::string& bad : {std::string("no database at all, but long enough for a header of "
                                             "one hundred bytes, which is what is looked at first"),
                                 torn, overwritten}) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bad;
    const auto refused = SqliteStore::open(path_);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("put a copy in its place"), std::string::npos)
        << refused.error().message;
    EXPECT_EQ(support::contents_of(path_), bad);
  }
}

TEST_F(SqliteStoreTest, AFileOfANewerOrAnotherProgramIsRefusedAndKept) {
  [[maybe_unused]] const auto made = open();
  Database(path_, nullptr).execute("PRAGMA user_version = 9");
  const std::string before = support::contents_of(path_);
  const auto newer = SqliteStore::open(path_);
  ASSERT_FALSE(newer);
  EXPECT_NE(newer.error().message.find("a newer steer wrote it (schema 9; this one knows 2)"),
            std::string::npos)
      << newer.error().message;
  EXPECT_EQ(support::contents_of(path_), before);

  const support::fs::path other = scratch_ / "other.db";
  Database(other, nullptr).execute("CREATE TABLE bindings (a); INSERT INTO bindings VALUES (1)");
  const std::string foreign = support::contents_of(other);
  const auto refused = SqliteStore::open(other);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("no store of steer; name another file"),
            std::string::npos);
  EXPECT_EQ(support::contents_of(other), foreign);
}

TEST_F(SqliteStoreTest, ARowThatNobodyCanHaveWrittenIsRefused) {
  ASSERT_TRUE(write(*open(), binding(1)));
  for (const char* const spoil :
       {"UPDATE bindings SET service = 'warp'", "UPDATE bindings SET prefix = '10.0.0.1/8'",
        "UPDATE bindings SET id = x'00'", "DELETE FROM generation"}) {
    const support::fs::path copy = scratch_ / "copy.db";
    support::fs::copy_file(path_, copy, support::fs::copy_options::overwrite_existing);
    Database(copy, nullptr).execute(spoil);
    auto store = SqliteStore::open(copy);
    ASSERT_TRUE(store) << store.error().message;
    Everything all;
    EXPECT_FALSE((*store)->load(all)) << spoil;
  }
}

TEST_F(SqliteStoreTest, AFileOfSchema1IsBroughtUpToDateAndKeepsWhatItHas) {
  const BindingRow row = binding(7);
  {
    Database old(path_, nullptr);
    old.execute(kMigrations[0]);
    old.execute(
        fmt::format(
            "PRAGMA application_id={}; PRAGMA user_version=1;"
            "UPDATE generation SET number = 7;"
            "INSERT INTO bindings VALUES ('{}', '203.0.113.0/24', x'{}', 'cdn', 1, 2, 3, 7);"
            "INSERT INTO history VALUES (7, 5, 1, 'ci', '-binding 203.0.113.9/32')",
            kApplicationId, to_string(row.cidr), to_string(row.id))
            .c_str());
  }
  const auto store = open();
  const auto all = all_of(*store);
  EXPECT_EQ(all->generation, 7U);
  ASSERT_EQ(all->bindings.size(), 1U);
  EXPECT_EQ(all->bindings.at(0).id, row.id);
  EXPECT_EQ(store->history({}).value().at(0).what, "-binding 203.0.113.9/32");
  EXPECT_EQ(store->rollback_from().value(), 7U) << "older histories lack what a rollback needs";
  ASSERT_TRUE(write(*store, binding(8)));
  EXPECT_EQ(open()->rollback_from().value(), 7U) << "a second start brings nothing up to date";
}

TEST_F(SqliteStoreTest, KeepsLossesAndWhatWasBeforeAChange) {
  const auto store = open();
  EXPECT_EQ(store->rollback_from().value(), 0U);
  const auto loss = [](const char* text, std::int64_t at) {
    return Loss{.key = {.is_prefix = false, .cidr = cidr(text)},
                .account = "acme",
                .before = dataplane::Service::cdn,
                .is_gone = true,
                .addresses = AddressNumber{1} << 80,
                .at = at};
  };
  Loss prefix = loss("2001:db8::/48", 10);
  prefix.key.is_prefix = true;
  prefix.before = std::nullopt;
  prefix.is_unsteered = true;
  const std::vector losses{loss("2001:db8::/48", 10), loss("2001:db8:1::/48", 20), prefix};
  ASSERT_TRUE(store->write(
      {.generation_after = 1, .history = {{1, 5, 3, "ci", "what", "before"}}, .losses = losses}));
  const auto kept = on_disk();
  EXPECT_EQ(kept->losses.size(), 3U);
  for (const Loss& one : kept->losses)
    EXPECT_NE(std::ranges::find(losses, one), losses.end()) << to_string(one.key.cidr);
  EXPECT_EQ(store->history({}).value().at(0).before, "") << "only where it is asked for";
  EXPECT_EQ(store->history({.with_before = true}).value().at(0).before, "before");
  ASSERT_TRUE(store->write({.generation_before = 1,
                            .generation_after = 2,
                            .dropped_losses = {prefix.key},
                            .losses_since = 15}));
  const auto left = on_disk();
  ASSERT_EQ(left->losses.size(), 1U);
  EXPECT_EQ(left->losses.at(0), losses.at(1));
}

TEST_F(SqliteStoreTest, AMissingFolderIsAnError) {
  const auto refused = SqliteStore::open(scratch_ / "nowhere/steer.db");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("check that its folder exists"), std::string::npos)
      << refused.error().message;
}

}  // namespace
