// SPDX-License-Identifier: BSD-3-Clause
#include "control/quote.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

TEST(Quote, LetsNothingThroughThatATerminalActsUpon) {
  using control::printable;
  EXPECT_EQ(printable("\033[31m"), "\\u001b[31m");
  EXPECT_EQ(printable("\u009b31m"), "\\u009b31m") << "C1 control sequence introducer";
  EXPECT_EQ(printable("a\u202eb\u2066c\u200fd"), "a\\u202eb\\u2066c\\u200fd") << "direction marks";
  EXPECT_EQ(printable("\x7f"), "\\u007f");
  EXPECT_EQ(printable("r\u00e9seau \u2192 \u4e2d"), "r\u00e9seau \u2192 \u4e2d") << "plain text";
  EXPECT_EQ(printable("\xe2\x80"), "\xe2\x80") << "a sequence that is cut short";
}

}  // namespace
