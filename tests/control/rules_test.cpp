// SPDX-License-Identifier: BSD-3-Clause
#include "control/rules.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "control/binding_set.hpp"
#include "tests/control/change_text.hpp"

namespace {

using change_text::changes;
using change_text::cidr;
using change_text::set_of;
using control::BindingRules;
using control::BindingSet;
using control::Field;
using control::Violation;
using control::ViolationCode;

constexpr const char* kMagicTransit =
    "onboard 203.0.113.0/24; bind 203.0.113.0/24 203.0.113.0/24 magic_transit";
constexpr const char* kCdn = "onboard 203.0.113.0/24; bind 203.0.113.0/24 203.0.113.0/24 cdn";
constexpr const char* kSpectrum =
    "onboard 203.0.113.0/24; bind 203.0.113.0/24 203.0.113.0/24 spectrum";
constexpr const char* kPending = "onboard 203.0.113.0/24";
constexpr const char* kNested =
    "onboard 203.0.113.0/24; bind 203.0.113.0/24 203.0.113.0/24 cdn;"
    "bind 203.0.113.0/24 203.0.113.0/25 spectrum; bind 203.0.113.0/24 203.0.113.1/32 cdn";

struct Accepted {
  const char* description;
  const char* before;
  const char* changes;
};

TEST(Rules, AcceptWhatTheyAllow) {
  const Accepted cases[]{
      {"1: a prefix may be pending", "", kPending},
      {"1: a default of magic_transit", "", kMagicTransit},
      {"1: a default of cdn", "", kCdn},
      {"1: a default of spectrum", "", kSpectrum},
      {"1: the default may come after what it covers, in one change set", kPending,
       "bind 203.0.113.0/24 203.0.113.1/32 cdn; bind 203.0.113.0/24 203.0.113.0/24 magic_transit"},
      {"2: cdn over magic_transit", kMagicTransit, "bind 203.0.113.0/24 203.0.113.1/32 cdn"},
      {"2: spectrum over magic_transit", kMagicTransit,
       "bind 203.0.113.0/24 203.0.113.1/32 spectrum"},
      {"2: spectrum over cdn", kCdn, "bind 203.0.113.0/24 203.0.113.1/32 spectrum"},
      {"2: cdn over spectrum", kSpectrum, "bind 203.0.113.0/24 203.0.113.1/32 cdn"},
      {"2: the nearest cover counts, not the default", "", kNested},
      {"2: equal neighbours are no covers", kMagicTransit,
       "bind 203.0.113.0/24 203.0.113.0/32 cdn; bind 203.0.113.0/24 203.0.113.1/32 cdn"},
      {"2: down to /128", "onboard 2001:db8::/48; bind 2001:db8::/48 2001:db8::/48 cdn",
       "bind 2001:db8::/48 2001:db8::1/128 spectrum"},
      {"3: one CIDR moves in one change set", kNested,
       "unbind 203.0.113.0/24 203.0.113.1/32; unbind 203.0.113.0/24 203.0.113.0/25;"
       "bind 203.0.113.0/24 203.0.113.1/32 spectrum"},
      {"3: ... the new before the old goes", kMagicTransit,
       "bind 203.0.113.0/24 203.0.113.0/24 cdn; unbind 203.0.113.0/24 203.0.113.0/24"},
      {"4: neighbours do not overlap", kPending, "onboard 203.0.112.0/24; onboard 203.0.114.0/23"},
      {"4: the same bits in another family do not overlap", kPending, "onboard cb00:7100::/24"},
      {"4: a prefix may take the place of one that it overlaps", kMagicTransit,
       "onboard 203.0.112.0/23; offboard 203.0.113.0/24 cascade"},
      {"5: the longest prefixes", "", "onboard 203.0.113.0/24; onboard 2001:db8:1::/48"},
      {"5: private and documentation blocks", "",
       "onboard 10.0.0.0/8; onboard 172.16.0.0/12; onboard 192.168.0.0/16; onboard 100.64.0.0/10;"
       "onboard 192.0.2.0/24; onboard fc00::/7; onboard 2001:db8::/32"},
      {"5: neighbours of blocks that are not allowed", "",
       "onboard 1.0.0.0/8; onboard 126.0.0.0/8; onboard 128.0.0.0/8; onboard 169.255.0.0/16;"
       "onboard 223.0.0.0/8; onboard fe00::/9; onboard fec0::/10; onboard 0:0:1::/48"},
      {"6: a binding goes", kNested, "unbind 203.0.113.0/24 203.0.113.1/32"},
      {"6: a default changes its service", kMagicTransit,
       "move 203.0.113.0/24 203.0.113.0/24 spectrum"},
      {"6: a change to the same service is no change", kNested,
       "move 203.0.113.0/24 203.0.113.1/32 cdn"},
      {"6: a default goes as the last one", kMagicTransit, "unbind 203.0.113.0/24 203.0.113.0/24"},
      {"6: a default goes together with the rest", kNested,
       "unbind 203.0.113.0/24 203.0.113.0/24; unbind 203.0.113.0/24 203.0.113.1/32;"
       "unbind 203.0.113.0/24 203.0.113.0/25"},
      {"6: a pending prefix goes", kPending, "offboard 203.0.113.0/24"},
      {"6: a prefix goes with its last binding, in any order", kMagicTransit,
       "offboard 203.0.113.0/24; unbind 203.0.113.0/24 203.0.113.0/24"},
      {"6: a cascade takes everything", kNested, "offboard 203.0.113.0/24 cascade"},
      {"7: services swap in one change set", kNested,
       "move 203.0.113.0/24 203.0.113.0/24 spectrum; move 203.0.113.0/24 203.0.113.0/25 cdn;"
       "move 203.0.113.0/24 203.0.113.1/32 spectrum"},
      {"7: a prefix is replaced", kNested,
       "offboard 203.0.113.0/24 cascade; onboard 203.0.113.0/24;"
       "bind 203.0.113.0/24 203.0.113.0/24 magic_transit"},
      {"7: no changes", kNested, ""},
  };
  for (const Accepted& test : cases) {
    SCOPED_TRACE(test.description);
    BindingSet set = set_of(test.before);
    const auto applied = set.apply(changes(test.changes));
    EXPECT_TRUE(applied) << applied.error().front().message;
  }
}

struct Refused {
  const char* description;
  const char* before;
  const char* changes;
  ViolationCode code;
  std::size_t change;
  Field field;
  const char* message;
};

TEST(Rules, RefuseWhatTheyForbidAndSayWhy) {
  const Refused cases[]{
      {"1: the first binding is not the prefix", kPending, "bind 203.0.113.0/24 203.0.113.1/32 cdn",
       ViolationCode::missing_default, 0, Field::cidr,
       "203.0.113.1/32 cannot be bound while its prefix 203.0.113.0/24 has no default binding; "
       "bind "
       "203.0.113.0/24 itself as well"},
      {"2: magic_transit below magic_transit", kMagicTransit,
       "bind 203.0.113.0/24 203.0.113.1/32 magic_transit",
       ViolationCode::magic_transit_below_default, 0, Field::service,
       "203.0.113.1/32: magic_transit cannot be bound below a default; cdn or spectrum can"},
      {"2: magic_transit below cdn", kCdn, "bind 203.0.113.0/24 203.0.113.1/32 magic_transit",
       ViolationCode::magic_transit_below_default, 0, Field::service,
       "203.0.113.1/32: magic_transit cannot be bound below a default; spectrum can"},
      {"2: a binding becomes magic_transit", kNested,
       "move 203.0.113.0/24 203.0.113.0/25 magic_transit",
       ViolationCode::magic_transit_below_default, 0, Field::service,
       "203.0.113.0/25: magic_transit cannot be bound below a default; spectrum can"},
      {"2: cdn over cdn", kCdn, "bind 203.0.113.0/24 203.0.113.1/32 cdn",
       ViolationCode::same_service_as_cover, 0, Field::service,
       "203.0.113.1/32: cdn is already the service of 203.0.113.0/24, its nearest covering "
       "binding; "
       "spectrum can be bound here"},
      {"2: spectrum over spectrum, two levels down", kNested,
       "bind 203.0.113.0/24 203.0.113.2/32 spectrum", ViolationCode::same_service_as_cover, 0,
       Field::service,
       "203.0.113.2/32: spectrum is already the service of 203.0.113.0/25, its nearest covering "
       "binding; "
       "cdn can be bound here"},
      {"3: a second binding on one CIDR", kNested, "bind 203.0.113.0/24 203.0.113.1/32 spectrum",
       ViolationCode::binding_exists, 0, Field::cidr,
       "binding already exists for CIDR 203.0.113.1/32 (cdn); one CIDR carries one binding"},
      {"3: a second default", kCdn, "bind 203.0.113.0/24 203.0.113.0/24 cdn",
       ViolationCode::binding_exists, 0, Field::cidr,
       "binding already exists for CIDR 203.0.113.0/24 (cdn); one CIDR carries one binding"},
      {"3: two in one change set", kMagicTransit,
       "bind 203.0.113.0/24 203.0.113.1/32 cdn; bind 203.0.113.0/24 203.0.113.1/32 cdn",
       ViolationCode::binding_exists, 1, Field::cidr,
       "binding already exists for CIDR 203.0.113.1/32 (cdn); one CIDR carries one binding"},
      {"4: outside its prefix", kCdn, "bind 203.0.113.0/24 203.0.114.1/32 spectrum",
       ViolationCode::outside_prefix, 0, Field::cidr,
       "203.0.114.1/32 lies outside its prefix 203.0.113.0/24"},
      {"4: around its prefix", kCdn, "bind 203.0.113.0/24 203.0.112.0/23 spectrum",
       ViolationCode::outside_prefix, 0, Field::cidr,
       "203.0.112.0/23 lies outside its prefix 203.0.113.0/24"},
      {"4: of another family", kCdn, "bind 203.0.113.0/24 2001:db8::/64 spectrum",
       ViolationCode::outside_prefix, 0, Field::cidr,
       "2001:db8::/64 lies outside its prefix 203.0.113.0/24"},
      {"4: an unknown service", kCdn, "bind 203.0.113.0/24 203.0.113.1/32 waf",
       ViolationCode::unknown_service, 0, Field::service,
       "203.0.113.1/32: unknown service; magic_transit, cdn and spectrum are services"},
      {"4: inside an onboarded prefix", "onboard 203.0.112.0/22", "onboard 203.0.113.0/24",
       ViolationCode::prefix_overlaps, 0, Field::prefix,
       "203.0.113.0/24 overlaps the prefix 203.0.112.0/22; onboarded prefixes must not overlap"},
      {"4: around an onboarded prefix", kPending, "onboard 203.0.112.0/22",
       ViolationCode::prefix_overlaps, 0, Field::prefix,
       "203.0.112.0/22 overlaps the prefix 203.0.113.0/24; onboarded prefixes must not overlap"},
      {"4: two in one change set overlap", "", "onboard 203.0.113.0/24; onboard 203.0.112.0/22",
       ViolationCode::prefix_overlaps, 1, Field::prefix,
       "203.0.112.0/22 overlaps the prefix 203.0.113.0/24; onboarded prefixes must not overlap"},
      {"4: the same prefix again", kCdn, "onboard 203.0.113.0/24", ViolationCode::prefix_exists, 0,
       Field::prefix, "prefix already exists: 203.0.113.0/24"},
      {"5: too long for IPv4", "", "onboard 203.0.113.0/25", ViolationCode::prefix_too_long, 0,
       Field::prefix,
       "203.0.113.0/25 is longer than /24, the longest IPv4 prefix that can be onboarded"},
      {"5: too long for IPv6", "", "onboard 2001:db8::/49", ViolationCode::prefix_too_long, 0,
       Field::prefix,
       "2001:db8::/49 is longer than /48, the longest IPv6 prefix that can be onboarded"},
      {"6: a prefix with bindings goes", kNested, "offboard 203.0.113.0/24",
       ViolationCode::prefix_not_empty, 0, Field::prefix,
       "203.0.113.0/24 cannot be removed: 203.0.113.0/24 is still bound; remove its bindings "
       "first, or "
       "ask for a cascade"},
      {"6: the default goes before the rest", kNested, "unbind 203.0.113.0/24 203.0.113.0/24",
       ViolationCode::binding_in_the_way, 0, Field::cidr,
       "203.0.113.0/24 is the default binding and goes last: remove 203.0.113.0/25 first"},
      {"6: a binding goes whose absence breaks rule 2", kNested,
       "unbind 203.0.113.0/24 203.0.113.0/25", ViolationCode::binding_in_the_way, 0, Field::cidr,
       "203.0.113.0/25 cannot be removed: 203.0.113.1/32 (cdn) would lie directly below "
       "203.0.113.0/24, "
       "which is cdn too; remove or change 203.0.113.1/32 first"},
      {"6: a default takes the service of a binding below", kNested,
       "move 203.0.113.0/24 203.0.113.0/24 spectrum", ViolationCode::binding_in_the_way, 0,
       Field::service,
       "203.0.113.0/24 cannot be spectrum: 203.0.113.0/25 below it is spectrum already; remove or "
       "change "
       "203.0.113.0/25 first"},
      {"6: a binding comes between",
       "onboard 203.0.113.0/24;"
       "bind 203.0.113.0/24 203.0.113.0/24 magic_transit; bind 203.0.113.0/24 203.0.113.1/32 cdn",
       "bind 203.0.113.0/24 203.0.113.0/25 cdn", ViolationCode::binding_in_the_way, 0,
       Field::service,
       "203.0.113.0/25 cannot be cdn: 203.0.113.1/32 below it is cdn already; remove or change "
       "203.0.113.1/32 first"},
      {"a prefix that is not there goes", "", "offboard 203.0.113.0/24",
       ViolationCode::prefix_not_found, 0, Field::prefix, "prefix 203.0.113.0/24 is not onboarded"},
      {"a prefix that is not there is bound", "", "bind 203.0.113.0/24 203.0.113.0/24 cdn",
       ViolationCode::prefix_not_found, 0, Field::prefix, "prefix 203.0.113.0/24 is not onboarded"},
      {"a prefix that has just gone is bound", kCdn,
       "offboard 203.0.113.0/24 cascade; bind 203.0.113.0/24 203.0.113.0/24 cdn",
       ViolationCode::prefix_not_found, 1, Field::prefix, "prefix 203.0.113.0/24 is not onboarded"},
      {"a binding that is not there goes", kCdn, "unbind 203.0.113.0/24 203.0.113.1/32",
       ViolationCode::binding_not_found, 0, Field::cidr,
       "no binding for CIDR 203.0.113.1/32 in prefix 203.0.113.0/24"},
      {"a binding that is not there is changed", kCdn, "move 203.0.113.0/24 203.0.113.1/32 cdn",
       ViolationCode::binding_not_found, 0, Field::cidr,
       "no binding for CIDR 203.0.113.1/32 in prefix 203.0.113.0/24"},
  };
  for (const Refused& test : cases) {
    SCOPED_TRACE(test.description);
    const BindingSet before = set_of(test.before);
    BindingSet set = before;
    const auto applied = set.apply(changes(test.changes));
    ASSERT_FALSE(applied);
    EXPECT_TRUE(set == before);
    ASSERT_EQ(applied.error().size(), 1U);
    const Violation& violation = applied.error().front();
    EXPECT_EQ(violation.code, test.code);
    EXPECT_EQ(violation.change, test.change);
    EXPECT_EQ(violation.field, test.field);
    EXPECT_EQ(violation.message, test.message);
  }
}

TEST(Rules, BlocksThatCannotBeOnboardedAreRefusedWholeInPartAndAround) {
  for (const char* block :
       {"0.0.0.0/0",    "0.0.0.0/8",      "0.1.2.0/24",       "126.0.0.0/7", "127.0.0.0/24",
        "168.0.0.0/6",  "169.254.0.0/16", "169.254.7.0/24",   "192.0.0.0/2", "224.0.0.0/4",
        "239.1.2.0/24", "240.0.0.0/4",    "255.255.255.0/24", "::/0",        "::/48",
        "fe80::/10",    "febf:ffff::/48", "fe00::/8",         "ff00::/8",    "ff02::/48"}) {
    const auto problem = control::judge_prefix(cidr(block), {});
    ASSERT_TRUE(problem) << block;
    EXPECT_EQ(problem->code, ViolationCode::prefix_not_allowed) << block;
  }
}

TEST(Rules, LongestPrefixesAreSettings) {
  const BindingRules rules{.longest_prefix4 = 32, .longest_prefix6 = 20};
  EXPECT_FALSE(control::judge_prefix(cidr("203.0.113.1/32"), rules));
  EXPECT_FALSE(control::judge_prefix(cidr("2001:d000::/20"), rules));
  EXPECT_TRUE(control::judge_prefix(cidr("2001:d000::/21"), rules));
}

TEST(Rules, TextsThatAreNoCidrAreRefusedWithWhatIsAllowed) {
  struct Case {
    const char* text;
    ViolationCode code;
    const char* message;
  };
  const Case cases[]{
      {"203.0.113.1/24", ViolationCode::host_bits_set,
       "\"203.0.113.1/24\" has host bits set; the block is 203.0.113.0/24"},
      {"2001:db8::1/48", ViolationCode::host_bits_set,
       "\"2001:db8::1/48\" has host bits set; the block is 2001:db8::/48"},
      {"203.0.113.0/33", ViolationCode::malformed_cidr,
       "\"203.0.113.0/33\" has a length out of range; IPv4 allows 0 to 32, IPv6 0 to 128"},
      {"203.0.113.0", ViolationCode::malformed_cidr,
       "\"203.0.113.0\" is not a CIDR block; write ADDRESS/LENGTH, as in 203.0.113.0/24 or "
       "2001:db8::/48"},
      {"", ViolationCode::malformed_cidr,
       "\"\" is not a CIDR block; write ADDRESS/LENGTH, as in 203.0.113.0/24 or 2001:db8::/48"},
      {"\x1b[2J\"", ViolationCode::malformed_cidr,
       "\"\\u001b[2J\\\"\" is not a CIDR block; write ADDRESS/LENGTH, as in 203.0.113.0/24 or "
       "2001:db8::/48"},
  };
  for (const Case& test : cases) {
    const auto read = control::read_cidr(test.text);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, test.code);
    EXPECT_EQ(read.error().message, test.message);
  }
  EXPECT_LT(control::read_cidr(std::string(1'000'000, 'x')).error().message.size(), 200U);
}

TEST(Rules, ServicesAreNamedExactly) {
  EXPECT_EQ(control::read_service("cdn"), dataplane::Service::cdn);
  for (const char* text : {"", "CDN", "cdn ", "Magic Transit"}) {
    const auto read = control::read_service(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, ViolationCode::unknown_service);
  }
  EXPECT_EQ(control::read_service("waf").error().message,
            "\"waf\" is not a service; magic_transit, cdn and spectrum are");
}

}  // namespace
