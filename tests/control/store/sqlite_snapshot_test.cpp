// SPDX-License-Identifier: BSD-3-Clause
#include "control/store/sqlite_snapshot.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "control/store/migration.hpp"
#include "control/store/schema.hpp"
#include "control/store/sqlite.hpp"
#include "control/store/sqlite_store.hpp"
#include "tests/control/store/rows.hpp"
#include "tests/support/program.hpp"

namespace {

using namespace control::store;
using support::fs::path;

// What a folder holds, so that nothing of it can change unseen: bytes, and when they were written.
using Written = std::map<std::string, std::pair<std::string, std::int64_t>>;
Written all_in(const path& folder) {
  Written all;
  for (const auto& entry : support::fs::directory_iterator(folder)) {
    struct stat status{};
    stat(entry.path().c_str(), &status);
    all[entry.path().filename()] = {
        support::contents_of(entry.path()),
        (status.st_mtim.tv_sec * 1'000'000'000) + status.st_mtim.tv_nsec};
  }
  return all;
}

class SqliteSnapshotTest : public testing::Test {
 protected:
  void SetUp() override { support::fs::create_directory(folder_); }

  static void write(SqliteStore& store, std::uint64_t n) {
    const BindingRow row = support::binding_row(n);
    const auto written =
        store.write({.generation_before = n - 1, .generation_after = n, .bindings = {&row}});
    ASSERT_TRUE(written) << written.error().message;
  }
  [[nodiscard]] std::unique_ptr<SqliteStore> store_of(std::uint64_t changes) const {
    auto store = SqliteStore::open(path_);
    EXPECT_TRUE(store) << store.error().message;
    for (std::uint64_t n = 1; n <= changes; ++n) write(**store, n);
    return std::move(*store);
  }
  struct Taken {
    int schema = -1;
    std::uint64_t generation = 0;
    std::size_t bindings = 0;
    std::string error;
  };
  // And nothing has changed in the folder.
  [[nodiscard]] Taken take() const {
    const Written before = all_in(folder_);
    const Taken taken = take_any();
    EXPECT_TRUE(all_in(folder_) == before);
    return taken;
  }
  [[nodiscard]] Taken take_any() const {
    auto snapshot = SqliteSnapshot::take(path_);
    if (!snapshot) return {.error = snapshot.error().message};
    support::Everything all;
    const auto generation = (*snapshot)->load(all);
    if (!generation) return {.error = generation.error().message};
    return {(*snapshot)->schema(), *generation, all.bindings.size(), {}};
  }
  void expect_refusal(const char* why) const {
    const Taken taken = take();
    EXPECT_NE(taken.error.find(why), std::string::npos) << taken.error;
  }

  support::Scratch scratch_;
  // With what a URI escapes.
  path folder_ = scratch_ / "a?b#c%20d";
  path path_ = folder_ / "steer.db";
};

TEST_F(SqliteSnapshotTest, AStoreThatNobodyHasOpenIsReadAndLeftAlone) {
  static_cast<void>(store_of(3));
  ASSERT_EQ(all_in(folder_).size(), 1U) << "the log and its index are gone";
  const Taken taken = take();
  EXPECT_EQ(taken.error, "");
  EXPECT_EQ(taken.schema, kSchema);
  EXPECT_EQ(taken.generation, 3U);
  EXPECT_EQ(taken.bindings, 3U);
}

TEST_F(SqliteSnapshotTest, AStoreThatIsOpenIsReadWithWhatIsInItsLogAlone) {
  const auto store = store_of(3);
  ASSERT_GT(support::fs::file_size(path(path_) += "-wal"), 0U);
  // Connections of one process have the index in common, and a reader notes there where it reads;
  // tests/e2e/api_check_test.py has two processes.
  const auto files = [this] {
    Written all = all_in(folder_);
    all.erase("steer.db-shm");
    return all;
  };
  const Written before = files();
  const Taken taken = take_any();
  EXPECT_EQ(taken.error, "");
  EXPECT_EQ(taken.generation, 3U);
  EXPECT_EQ(taken.bindings, 3U);
  EXPECT_TRUE(files() == before);
  write(*store, 4);
  EXPECT_EQ(take_any().generation, 4U);
}

// As a process leaves it that is killed: copies of its files, which no lock protects.
TEST_F(SqliteSnapshotTest, AStoreThatWasLeftInTheMiddleIsReadAndLeftAlone) {
  const auto store = store_of(3);
  const path open = path_;
  const path left = scratch_ / "left";
  for (const bool has_index : {true, false}) {
    support::fs::create_directory(left);
    for (const char* const suffix : {"", "-wal", "-shm"})
      if (has_index || std::string(suffix) != "-shm")
        support::fs::copy_file(path(open) += suffix, path(left / "steer.db") += suffix);
    folder_ = left;
    path_ = left / "steer.db";
    const Taken taken = take();
    EXPECT_EQ(taken.error, "") << has_index;
    EXPECT_EQ(taken.generation, 3U) << has_index;
    EXPECT_EQ(taken.bindings, 3U) << has_index;
    support::fs::remove_all(left);
  }
}

TEST_F(SqliteSnapshotTest, AStoreOfSchema1IsReadAsItWouldBecomeAndStaysAsItIs) {
  {
    Database old(path_, nullptr);
    old.execute(kMigrations[0]);
    old.execute(
        fmt::format(
            "PRAGMA application_id={}; PRAGMA user_version=1; PRAGMA journal_mode=WAL;"
            "UPDATE generation SET number = 7;"
            "INSERT INTO bindings VALUES ('203.0.113.7/32', '203.0.113.0/24', x'{}', 'cdn', 1, 2, "
            "3, 7)",
            kApplicationId, to_string(control::ObjectId::random()))
            .c_str());
  }
  const Taken taken = take();
  EXPECT_EQ(taken.error, "");
  EXPECT_EQ(taken.schema, 1);
  EXPECT_EQ(taken.generation, 7U);
  EXPECT_EQ(taken.bindings, 1U);
}

TEST_F(SqliteSnapshotTest, AnEmptyFileHasNoSchema) {
  std::ofstream(path_).flush();
  const Taken taken = take();
  EXPECT_EQ(taken.error, "");
  EXPECT_EQ(taken.schema, 0);
  EXPECT_EQ(taken.generation, 0U);
}

TEST_F(SqliteSnapshotTest, RefusesWhatAStartWouldRefuse) {
  static_cast<void>(store_of(1));
  Database(path_, nullptr).execute("PRAGMA user_version = 9");
  expect_refusal("a newer steer wrote it (schema 9; this one knows 2)");
  Database(path_, nullptr).execute("PRAGMA user_version = -1");
  expect_refusal("(schema -1)");
  Database(path_, nullptr).execute("PRAGMA user_version = 2; PRAGMA application_id = 5");
  expect_refusal("no store of steer; name another file");
  Database(path_, nullptr)
      .execute(fmt::format("PRAGMA application_id = {}; UPDATE bindings SET service = 'warp'",
                           kApplicationId)
                   .c_str());
  expect_refusal("warp");
  std::ofstream(path_, std::ios::binary | std::ios::trunc) << std::string(5000, 'x');
  expect_refusal("put a copy in its place");
}

TEST_F(SqliteSnapshotTest, AFileThatIsNotThereIsNotMade) {
  expect_refusal("it cannot be read: No such file or directory");
}

}  // namespace
