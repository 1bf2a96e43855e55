// SPDX-License-Identifier: BSD-3-Clause
#include "control/compile.hpp"

#include <gtest/gtest.h>

#include "tests/control/change_text.hpp"

namespace {

using change_text::cidr;
using change_text::set_of;
using control::compile;
using control::CompiledTable;
using dataplane::Match;
using dataplane::Service;

Match lookup4(const CompiledTable& compiled, const char* address) {
  return Match(compiled.table->trie4().lookup(lpm::parse_address4(address).value()));
}
Match lookup6(const CompiledTable& compiled, const char* address) {
  return Match(compiled.table->trie6().lookup(lpm::parse_address6(address).value()));
}

TEST(Compile, NumbersBindingsOfBothFamiliesFromOne) {
  const CompiledTable compiled =
      compile(set_of("onboard 2001:db8::/48; bind 2001:db8::/48 2001:db8::/48 spectrum;"
                     "onboard 203.0.113.0/24; bind 203.0.113.0/24 203.0.113.0/24 magic_transit;"
                     "bind 203.0.113.0/24 203.0.113.1/32 cdn; onboard 198.51.100.0/24"),
              {}, 7);
  EXPECT_EQ(compiled.table->generation(), 7U);
  EXPECT_EQ(compiled.table->highest_binding(), 3U);
  ASSERT_EQ(compiled.bindings_by_number.size(), 4U);
  EXPECT_EQ(lookup4(compiled, "203.0.113.2"), Match::of(Service::magic_transit, 1));
  EXPECT_EQ(lookup4(compiled, "203.0.113.1"), Match::of(Service::cdn, 2));
  EXPECT_EQ(lookup6(compiled, "2001:db8::1"), Match::of(Service::spectrum, 3));
  EXPECT_EQ(compiled.bindings_by_number[2],
            (control::Binding{cidr("203.0.113.1/32"), Service::cdn}));
  EXPECT_EQ(compiled.bindings_by_number[3].cidr, cidr("2001:db8::/48"));
}

TEST(Compile, PendingPrefixIsInsideWithoutService) {
  const CompiledTable compiled = compile(set_of("onboard 203.0.113.0/24"), {}, 1);
  EXPECT_FALSE(lookup4(compiled, "203.0.113.1").is_bound());
  EXPECT_TRUE(lookup4(compiled, "203.0.113.1").is_inside_prefix());
  EXPECT_FALSE(lookup4(compiled, "203.0.114.1").is_inside_prefix());
  EXPECT_EQ(compiled.table->highest_binding(), 0U);
}

TEST(Compile, SettingsAreThoseOfTheTable) {
  const dataplane::Settings settings{.cdn_accept = dataplane::Settings::CdnAccept::http};
  EXPECT_TRUE(compile(control::BindingSet(), settings, 1).table->is_narrow(Service::cdn));
}

}  // namespace
