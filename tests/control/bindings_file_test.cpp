// SPDX-License-Identifier: BSD-3-Clause
#include "control/bindings_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/control/change_text.hpp"

namespace {

using change_text::set_of;
using control::parse_bindings;

const std::filesystem::path kSourceRoot = STEER_SOURCE_ROOT;

TEST(BindingsFile, IsReadWhole) {
  const auto parsed = parse_bindings(R"({"prefixes": [
    {"cidr": "203.0.113.0/24", "service": "magic_transit",
     "bindings": [{"cidr": "203.0.113.1/32", "service": "cdn"}]},
    {"cidr": "2001:db8::/48", "bindings": []},
    {"cidr": "198.51.100.0/24"}]})",
                                     {});
  ASSERT_TRUE(parsed) << to_string(parsed.error().front(), "FILE");
  EXPECT_TRUE(*parsed == set_of("onboard 203.0.113.0/24; onboard 2001:db8::/48;"
                                "onboard 198.51.100.0/24;"
                                "bind 203.0.113.0/24 203.0.113.0/24 magic_transit;"
                                "bind 203.0.113.0/24 203.0.113.1/32 cdn"));
}

TEST(BindingsFile, AnExportIsReadLikeTheSameBindingsWithoutWhatItHasBesides) {
  const auto exported = parse_bindings(R"({"generation": 18446744073709551615, "prefixes": [
    {"cidr": "203.0.113.0/24", "service": "cdn", "account": "0123456789abcdef0123456789abcdef",
     "asn": 4294967295, "description": "d", "loa_document_id": "l", "bindings": []},
    {"cidr": "198.51.100.0/24", "service": null, "account": "a-1", "asn": null,
     "description": null, "loa_document_id": null, "bindings": []}]})",
                                       {});
  ASSERT_TRUE(exported) << to_string(exported.error().front(), "FILE");
  EXPECT_TRUE(*exported == set_of("onboard 203.0.113.0/24; onboard 198.51.100.0/24;"
                                  "bind 203.0.113.0/24 203.0.113.0/24 cdn"));
}

TEST(BindingsFile, OfADescriptionCharactersCountAndNotBytes) {
  std::string umlauts;
  for (int n = 0; n < 1000; ++n) umlauts += "\u00fc";
  const auto text = [](const std::string& description) {
    return R"({"prefixes": [{"cidr": "203.0.113.0/24", "description": ")" + description + "\"}]}";
  };
  EXPECT_TRUE(parse_bindings(text(umlauts), {}));
  EXPECT_FALSE(parse_bindings(text(umlauts + "x"), {}));
}

TEST(BindingsFile, OrderIsIrrelevant) {
  const auto one = parse_bindings(
      R"({"prefixes": [{"cidr": "198.51.100.0/24"}, {"cidr": "203.0.113.0/24", "service": "cdn",
          "bindings": [{"cidr": "203.0.113.0/25", "service": "spectrum"},
                       {"cidr": "203.0.113.1/32", "service": "cdn"}]}]})",
      {});
  const auto other = parse_bindings(
      R"({"prefixes": [{"bindings": [{"service": "cdn", "cidr": "203.0.113.1/32"},
                                     {"service": "spectrum", "cidr": "203.0.113.0/25"},
                                     {"service": "cdn", "cidr": "203.0.113.0/24"}],
                        "cidr": "203.0.113.0/24"}, {"cidr": "198.51.100.0/24"}]})",
      {});
  ASSERT_TRUE(one);
  ASSERT_TRUE(other);
  EXPECT_TRUE(*one == *other);
}

TEST(BindingsFile, HoldsNoMoreBindingsThanTheRulesAllow) {
  const auto parsed = parse_bindings(R"({"prefixes": [{"cidr": "203.0.113.0/24", "service": "cdn",
    "bindings": [{"cidr": "203.0.113.1/32", "service": "spectrum"}]}]})",
                                     {.bindings_max = 1});
  ASSERT_FALSE(parsed);
  EXPECT_EQ(to_string(parsed.error().front(), "FILE"),
            "FILE:2:27: /prefixes/0/bindings/0/cidr: 2 bindings in all are too many; at most 1 are "
            "possible");
}

TEST(BindingsFile, StreamIsReadLikeText) {
  std::istringstream in(R"({"prefixes": [{"cidr": "203.0.113.0/24", "service": "cdn"}]})");
  const auto parsed = parse_bindings(in, {});
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->binding_count(), 1U);
}

class BindingsFileOnDisk : public testing::Test {
 public:
  BindingsFileOnDisk() { std::filesystem::create_directories(directory_); }
  ~BindingsFileOnDisk() override { std::filesystem::remove_all(directory_); }

 protected:
  static std::string error_of(const std::filesystem::path& path) {
    const auto loaded = control::load_bindings(path, {});
    return loaded ? "" : to_string(loaded.error().front(), path.filename().string());
  }

  std::filesystem::path directory_ =
      std::filesystem::temp_directory_path() / ("steer_control_test." + std::to_string(getpid()));
};

TEST_F(BindingsFileOnDisk, IsLoaded) {
  const std::filesystem::path path = directory_ / "good.json";
  std::ofstream(path) << R"({"prefixes": [{"cidr": "203.0.113.0/24"}]})";
  EXPECT_EQ(error_of(path), "");
}

TEST_F(BindingsFileOnDisk, MissingIsAnError) {
  EXPECT_EQ(error_of(directory_ / "none.json"),
            "none.json: cannot be opened: No such file or directory");
}

TEST_F(BindingsFileOnDisk, DirectoryIsAnError) {
  std::filesystem::create_directory(directory_ / "folder");
  EXPECT_EQ(error_of(directory_ / "folder"), "folder: is a directory; a bindings file is needed");
}

TEST_F(BindingsFileOnDisk, UnreadableIsAnError) {
  const std::filesystem::path path = directory_ / "secret.json";
  std::ofstream(path) << "{}";
  ASSERT_EQ(chmod(path.c_str(), 0), 0);
  ASSERT_EQ(chmod(directory_.c_str(), 0755), 0);
  // Root may read everything, so that it is somebody else for a moment.
  constexpr uid_t kNobody = 65'534;
  const bool is_root = geteuid() == 0;
  ASSERT_EQ(seteuid(is_root ? kNobody : geteuid()), 0);
  const std::string error = error_of(path);
  ASSERT_EQ(seteuid(is_root ? 0 : geteuid()), 0);
  EXPECT_EQ(error, "secret.json: cannot be opened: Permission denied");
}

TEST(BindingsFile, ExampleIsValidAndHasTheTableOfTheSpecification) {
  const auto loaded = control::load_bindings(kSourceRoot / "configs/bindings.example.json", {});
  ASSERT_TRUE(loaded) << to_string(loaded.error().front(), "bindings.example.json");
  for (const char* prefix : {"203.0.113.0/24", "198.51.100.0/24", "192.0.2.0/24"})
    EXPECT_NE(loaded->find(change_text::cidr(prefix)), nullptr) << prefix;
}

TEST(BindingsFile, BindingsOfTheSharedCapturesAreValid) {
  const auto path = kSourceRoot / "../shared/data/captures/bindings.json";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
  const auto loaded = control::load_bindings(path, {});
  ASSERT_TRUE(loaded) << to_string(loaded.error().front(), path.string());
  EXPECT_EQ(loaded->prefixes().size(), 57U);
  // Of its prefixes each has a default; the 146 bindings that its totals name are the others.
  EXPECT_EQ(loaded->binding_count(), 57U + 146U);
}

}  // namespace
