// SPDX-License-Identifier: BSD-3-Clause
#include "control/ctl/options.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "control/ctl/text.hpp"

namespace {

using namespace control::ctl;
using Words = std::vector<std::string>;

Options parse(const Words& words) {
  std::vector<const char*> argv{"steerctl"};
  for (const std::string& word : words) argv.push_back(word.c_str());
  return parse_options(static_cast<int>(argv.size()), argv.data());
}

std::string refusal(const Words& words) {
  try {
    [[maybe_unused]] const Options options = parse(words);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "(taken)";
}

TEST(CommandLine, OptionsStandBeforeAndBehindTheCommand) {
  const Options options =
      parse({"--json", "--api", "unix:/a", "bindings", "add", "--wait", "203.0.113.1/32", "cdn"});
  EXPECT_EQ(options.command->action, Action::add_bindings);
  EXPECT_EQ(options.words, (Words{"203.0.113.1/32", "cdn"}));
  EXPECT_EQ(options.text("api"), "unix:/a");
  EXPECT_TRUE(options.has("json"));
  EXPECT_TRUE(options.has("wait"));
  EXPECT_FALSE(options.has("yes"));
  EXPECT_EQ(parse({"apply", "-"}).words, Words{"-"});
}

TEST(CommandLine, EveryCommandIsFoundByItsName) {
  for (const Command& command : commands()) {
    Words words;
    const std::string name(command.name);
    words.push_back(name.substr(0, name.find(' ')));
    if (words[0] != name) words.push_back(name.substr(words[0].size() + 1));
    words.resize(words.size() + command.words_min, "1");
    EXPECT_EQ(parse(words).command, &command) << name;
    EXPECT_NE(usage(&command).find("Usage: steerctl " + name), std::string::npos);
    EXPECT_NE(usage(&command).find("Example"), std::string::npos) << name;
    EXPECT_NE(usage(nullptr).find("\n  " + name + " "), std::string::npos) << name;
  }
}

TEST(CommandLine, SaysWhatIsWrongAndWhatThereIs) {
  EXPECT_EQ(refusal({}), "no command is given");
  EXPECT_EQ(refusal({"frobnicate"}), "there is no command \"frobnicate\"");
  EXPECT_EQ(refusal({"token"}), "token is followed by one of: create, list, revoke");
  EXPECT_EQ(refusal({"token", "make"}),
            "there is no token \"make\"; token is followed by one of: create, list, revoke");
  EXPECT_EQ(refusal({"explain"}), "explain needs ADDRESS");
  EXPECT_EQ(refusal({"explain", "a", "b"}), "explain takes ADDRESS, and \"b\" is too much");
  EXPECT_EQ(refusal({"status", "now"}), "status takes no word \"now\"");
  EXPECT_EQ(refusal({"status", "--yes"}), "status takes no --yes");
  EXPECT_EQ(refusal({"bindings", "list", "--service", ""}), "--service must not be empty");
  EXPECT_EQ(refusal({"explain", ""}), "explain: a word is empty");
  EXPECT_NE(refusal({"status", "--nothing"}).find("nothing"), std::string::npos);
  EXPECT_NE(refusal({"status", "--js"}).find("js"), std::string::npos) << "nothing is guessed";
  EXPECT_NE(refusal({"status", "--api", "a", "--api", "b"}).find("api"), std::string::npos);
}

TEST(CommandLine, NumbersHaveTheirRange) {
  const Options options = parse({"history", "--limit", "17", "--above", "-1"});
  EXPECT_EQ(options.number("limit", 1, 1000, 20), 17U);
  EXPECT_EQ(options.number("below", 1, 1000, 20), 20U);
  EXPECT_THROW([[maybe_unused]] auto n = options.number("limit", 1, 16, 1), UsageError);
  EXPECT_THROW([[maybe_unused]] auto n = options.number("above", 0, 16, 1), UsageError);
}

TEST(CommandLine, HelpNeedsNothingElse) {
  EXPECT_EQ(parse({"-h"}).command, nullptr);
  EXPECT_EQ(parse({"apply", "--help"}).command->action, Action::apply);
  EXPECT_TRUE(parse({"--version"}).has("version"));
  EXPECT_EQ(refusal({"aply", "--help"}), "there is no command \"aply\"");
}

TEST(Text, IsHarmlessOnATerminal) {
  EXPECT_EQ(harmless("a\x1b[31mb\x07\n\x7f"), "a\\x1b[31mb\\x07\\x0a\\x7f");
  EXPECT_EQ(harmless("\xc2\x9b"
                     "31m"),
            "\\x9b31m")
      << "CSI as one character";
  EXPECT_EQ(harmless("Z\xc3\xbcrich \xe2\x82\xac"), "Z\xc3\xbcrich \xe2\x82\xac");
}

TEST(Text, NumbersForPeople) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(18'446'744'073'709'551'615U), "18,446,744,073,709,551,615");
  EXPECT_EQ(scaled(0), "0");
  EXPECT_EQ(scaled(999), "999");
  EXPECT_EQ(scaled(999.6), "1.00 k");
  EXPECT_EQ(scaled(1234), "1.23 k");
  EXPECT_EQ(scaled(99'960), "100 k");
  EXPECT_EQ(scaled(39'500'000), "39.5 M");
  EXPECT_EQ(counted(1, "prefix"), "1 prefix");
  EXPECT_EQ(counted(2, "prefix"), "2 prefixes");
  EXPECT_EQ(counted(1000, "binding"), "1,000 bindings");
}

TEST(Text, ColumnsAreAsWideAsWhatIsInThem) {
  Table table({{"A"}, {"NUMBER", Table::Align::right}, {"LAST"}});
  table.add({"\xc3\xbc", "1", ""});
  table.add({"longer", "12345678", "x"});
  EXPECT_EQ(table.text(false),
            "A         NUMBER  LAST\n"
            "\xc3\xbc              1\n"
            "longer  12345678  x\n");
  EXPECT_EQ(table.text(true).find("\x1b[1mA"), 0U);
}

}  // namespace
