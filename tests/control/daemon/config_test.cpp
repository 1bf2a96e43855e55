// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "control/daemon/config.hpp"
#include "control/daemon/keys.hpp"
#include "tests/support/program.hpp"

namespace {

using control::daemon::Config;
using control::daemon::Errors;
using control::daemon::OutputConfig;
using control::daemon::parse_config;
using control::daemon::PortConfig;
using dataplane::Direction;

std::expected<Config, Errors> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "steerd");
  return parse_config(static_cast<int>(arguments.size()), arguments.data());
}

class ConfigTest : public testing::Test {
 protected:
  std::expected<Config, Errors> parse_file(const std::string& text,
                                           std::vector<const char*> more = {}) {
    path_ = (scratch_ / "steerd.conf").string();
    std::ofstream(path_) << text;
    std::vector<const char*> arguments{"--config", path_.c_str()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return parse(arguments);
  }
  // The errors, with FILE for the file's path.
  std::string errors_of(const std::string& text, std::vector<const char*> more = {}) {
    const auto config = parse_file(text, std::move(more));
    if (config) return "none";
    std::string all;
    for (std::string error : config.error()) {
      for (std::size_t at = error.find(path_); at != std::string::npos; at = error.find(path_))
        error.replace(at, path_.size(), "FILE");
      all += (all.empty() ? "" : "\n") + error;
    }
    return all;
  }

  support::Scratch scratch_;
  std::string path_;
};

constexpr const char* kLeast = "bindings = b.json\nport = in device=net_null0 role=ingress\n";

TEST_F(ConfigTest, ReadsTheGuardAndHowLargeAChangeSetMayBe) {
  const std::string least = kLeast;
  const auto plain = parse_file(least);
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->guard.share_percent, 10U);
  EXPECT_EQ(plain->guard.bindings_at_once, 100U);
  EXPECT_EQ(plain->api.change_set_mib_max, 64U);
  EXPECT_EQ(plain->api.import_mib_max, 2048U);
  const auto other = parse_file(least +
                                "guard-share = 0\nguard-bindings = 7\napi-change-set-max = 1024\n"
                                "api-import-max = 1\n");
  ASSERT_TRUE(other);
  EXPECT_EQ(other->guard.share_percent, 0U);
  EXPECT_EQ(other->guard.bindings_at_once, 7U);
  EXPECT_EQ(other->api.change_set_mib_max, 1024U);
  EXPECT_EQ(other->api.import_mib_max, 1U);
  for (const char* const wrong :
       {"guard-share = 101\n", "guard-bindings = 0\n", "api-change-set-max = 1025\n",
        "api-import-max = 0\n", "api-import-max = 2049\n"})
    EXPECT_NE(errors_of(least + wrong).find("FILE:3"), std::string::npos) << wrong;
}

TEST_F(ConfigTest, ReadsWhereTheApiIsServed) {
  const std::string port = "port = in device=net_null0 role=ingress\n";
  const auto plain = parse_file("data-directory = data\n" + port);
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->data_directory, "data") << "relative to where it is started";
  ASSERT_EQ(plain->api.listen.size(), 1U);
  EXPECT_EQ(plain->api.listen[0].address, "127.0.0.1");
  EXPECT_EQ(plain->api.listen[0].port, 8642);
  const std::string two =
      "data-directory = data\napi-listen = 127.0.0.2:1\napi-listen = [::1]:65535\n" + port;
  const auto both = parse_file(two);
  ASSERT_TRUE(both);
  ASSERT_EQ(both->api.listen.size(), 2U);
  EXPECT_EQ(both->api.listen[1].address, "::1");
  EXPECT_EQ(both->api.listen[1].port, 65535);
  const auto none = parse_file(two, {"--api-listen", "none"});
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->api.listen.empty()) << "the command line's replace those of the file";
  EXPECT_EQ(errors_of("bindings = b\n" + two),
            "bindings and data-directory are both given: either a file says what to steer by, or "
            "the API's clients do");
  EXPECT_EQ(errors_of("data-directory = d\napi-key = k\n" + port),
            "api-certificate and api-key belong together: give both or none");
  for (const char* outside : {"0.0.0.0:1", "192.0.2.1:8642", "[::]:1", "[2001:db8::1]:443"}) {
    const std::string listen =
        "data-directory = d\napi-listen = " + std::string(outside) + "\n" + port;
    EXPECT_NE(errors_of(listen).find("is not loopback: listening there needs TLS"),
              std::string::npos)
        << outside;
    EXPECT_TRUE(parse_file(listen + "api-certificate = c\napi-key = k\n")) << outside;
  }
  for (const char* const wrong : {"localhost:1", "127.0.0.1", "::1:80", "1.2.3.4:x", ":80"})
    EXPECT_NE(errors_of("data-directory = d\napi-listen = " + std::string(wrong) + "\n" + port)
                  .find("api-listen must be none or ADDRESS:PORT"),
              std::string::npos)
        << wrong;
  EXPECT_NE(errors_of("data-directory = d\napi-listen = 127.0.0.1:65536\n" + port)
                .find("api-listen must be a number from 0 to 65535"),
            std::string::npos);
}

TEST_F(ConfigTest, ReadsEverySettingOfAPort) {
  const auto config = parse_file(
      "bindings = b.json\n"
      "port = wan device=0000:03:00.0,a=b role=egress vlans=100:ingress,200-201:egress queues=2 "
      "rss=l3 mtu=9000 kernel=tap tap=steer0  # a comment\n"
      "port = lan interface=eth1 role=none xdp=generic busy-budget=64\n");
  ASSERT_TRUE(config) << config.error().front();
  ASSERT_EQ(config->ports.size(), 2U);
  const PortConfig& wan = config->ports[0];
  EXPECT_EQ(wan.name, "wan");
  EXPECT_EQ(wan.device, "0000:03:00.0,a=b");
  EXPECT_EQ(wan.role, Direction::egress);
  ASSERT_EQ(wan.vlans.size(), 3U);
  EXPECT_EQ(wan.vlans[0], (control::daemon::VlanRole{100, Direction::ingress}));
  EXPECT_EQ(wan.vlans[2], (control::daemon::VlanRole{201, Direction::egress}));
  EXPECT_EQ(wan.queues, 2U);
  EXPECT_EQ(wan.rss, PortConfig::Rss::l3);
  EXPECT_EQ(wan.mtu, 9000U);
  EXPECT_EQ(wan.kernel, PortConfig::KernelPath::tap);
  EXPECT_EQ(wan.tap, "steer0");
  const PortConfig& lan = config->ports[1];
  EXPECT_EQ(lan.interface, "eth1");
  EXPECT_FALSE(lan.receives());
  EXPECT_EQ(lan.xdp, PortConfig::Xdp::generic);
  EXPECT_EQ(lan.busy_budget, 64U);
}

TEST_F(ConfigTest, ReadsEverySettingOfAnOutput) {
  const auto config = parse_file(
      std::string(kLeast) +
      "output = cdn port=in rewrite=ethernet next-hop=02:00:00:00:00:0a source=02:00:00:00:00:0b "
      "vlan=7 ttl=keep mtu=1400\n"
      "output = spectrum ring=spectrum packets=1024 producers=multi\nhugepages = on\n");
  ASSERT_TRUE(config) << config.error().front();
  const OutputConfig& cdn = config->outputs[0];
  ASSERT_TRUE(cdn.rewrite);
  EXPECT_EQ(cdn.rewrite->destination, (dataplane::MacAddress{2, 0, 0, 0, 0, 10}));
  EXPECT_EQ(cdn.rewrite->source, (dataplane::MacAddress{2, 0, 0, 0, 0, 11}));
  EXPECT_EQ(cdn.rewrite->vlan, 7);
  EXPECT_FALSE(cdn.rewrite->decrement_ttl);
  EXPECT_EQ(cdn.rewrite->mtu, 1400U);
  const OutputConfig& spectrum = config->outputs[1];
  EXPECT_EQ(spectrum.ring, "spectrum");
  EXPECT_EQ(spectrum.ring_packets, 1024U);
  EXPECT_EQ(spectrum.producers, OutputConfig::Producers::multi);
  EXPECT_FALSE(spectrum.rewrite);
}

TEST_F(ConfigTest, TheCommandLineWinsOverTheFile) {
  const auto config = parse_file(std::string(kLeast) + "workers = 2\nidle = busy\n",
                                 {"--workers", "3", "--port", "in device=net_null7 role=egress",
                                  "--port", "more device=net_null8 role=none"});
  ASSERT_TRUE(config) << config.error().front();
  EXPECT_EQ(config->workers, 3U);
  ASSERT_EQ(config->ports.size(), 2U);
  EXPECT_EQ(config->ports[0].device, "net_null7") << "takes the place of the file's";
}

TEST_F(ConfigTest, PathsOfAFileAreRelativeToIt) {
  const auto config = parse_file(kLeast);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->bindings, scratch_ / "b.json");
  const auto words = parse({"--bindings", "b.json", "--port", "in device=net_null0 role=ingress"});
  ASSERT_TRUE(words);
  EXPECT_EQ(words->bindings, "b.json");
}

TEST_F(ConfigTest, TheDefaultsAreThoseOfTheSpecification) {
  const auto config = parse_file(kLeast);
  ASSERT_TRUE(config);
  using dataplane::Settings;
  EXPECT_EQ(config->settings.unmatched, Settings::Unknown::kernel);
  EXPECT_EQ(config->settings.egress_unknown, Settings::Unknown::magic_transit);
  EXPECT_EQ(config->settings.cdn_accept, Settings::CdnAccept::any);
  EXPECT_EQ(config->grace_timeout, std::chrono::seconds(1));
  EXPECT_FALSE(config->output_down_to_magic_transit);
}

TEST_F(ConfigTest, ReadsTheConfigurationOfOnePerson) {
  const std::string local = STEER_SOURCE_ROOT "/configs/local.conf";
  const auto config = parse({"--config", local.c_str()});
  ASSERT_TRUE(config) << config.error().front();
  EXPECT_TRUE(config->bindings.empty());
  EXPECT_EQ(config->data_directory, "steer-data");
  EXPECT_FALSE(config->hugepages);
}

TEST_F(ConfigTest, ReadsTheConfigurationThatIsShipped) {
  const std::string shipped = STEER_SOURCE_ROOT "/configs/steerd.conf";
  const auto config = parse({"--config", shipped.c_str()});
  ASSERT_TRUE(config) << config.error().front();
  EXPECT_EQ(config->ports.size(), 4U);
  EXPECT_EQ(config->outputs.size(), 3U);
}

// The values that are shown commented out are the defaults: they change nothing.
TEST_F(ConfigTest, ReadsWhatIsCommentedOutInIt) {
  std::ifstream in(STEER_SOURCE_ROOT "/configs/steerd.conf");
  std::string text;
  for (std::string line; std::getline(in, line);)
    if (line.starts_with('#') && line.size() > 1 && line[1] != ' ' && line[1] != '#')
      text += line.substr(1) + "\n";
  EXPECT_GT(std::ranges::count(text, '\n'), 20);
  // The one that takes the place of another.
  const std::string without_file = std::string(kLeast).substr(std::string(kLeast).find('\n') + 1);
  EXPECT_EQ(errors_of(without_file + text), "none") << text;
}

struct Wrong {
  const char* description;
  std::string text;
  std::string errors;
};

TEST_F(ConfigTest, ErrorsSayWhereAndWhat) {
  const std::string least = kLeast;
  const std::vector<Wrong> cases{
      {"an unknown key", least + "\nfoo = 1\n", "FILE:4: \"foo\" is not a setting"},
      {"no key", least + "foo\n", "FILE:3: \"foo\" is not of the form: key = value"},
      {"a section", "[daemon]\n" + least, "FILE:1: sections are not used here"},
      {"a key of the command line", least + "check = 1\n", "FILE:3: \"check\" is not a setting"},
      {"a key twice", least + "idle = busy\nidle = sleep\n",
       "FILE:4: idle is given already at FILE:3"},
      {"a wrong choice", least + "idle = lazy\n",
       "FILE:3: idle must be busy, pause or sleep, not \"lazy\""},
      {"a wrong number", least + "workers = 0\n",
       "FILE:3: workers must be a number from 1 to 127, not \"0\""},
      {"no power of two", least + "descriptors = 1000\n",
       "FILE:3: descriptors must be a power of two"},
      {"a time without unit", least + "grace-timeout = 5\n",
       "FILE:3: grace-timeout must be a time like 500ms or 2s, at most an hour, not \"5\""},
      {"an empty value", least + "user =\n", "FILE:3: user must not be empty"},
      {"several errors are all told", least + "idle = lazy\nworkers = x\n",
       "FILE:3: idle must be busy, pause or sleep, not \"lazy\"\n"
       "FILE:4: workers must be a number from 1 to 127, not \"x\""},
      {"no bindings", "port = in device=net_null0 role=ingress\n",
       "bindings is missing: give the file to steer by, or a data-directory for the API"},
      {"nothing received", "bindings = b\nport = x device=net_null0 role=none\n",
       "no port receives anything: give one with role=ingress or egress"},
      {"a port without device", least + "port = x role=none\n",
       "FILE:3: port: is either interface=IF (the kernel's) or device=ARGS (DPDK's)"},
      {"a port without role", least + "port = x device=y\n",
       "FILE:3: port: needs role=ingress, egress or none, or vlans=VLAN:ROLE,..."},
      {"a port twice", least + "port = in device=net_null1 role=none\n",
       "FILE:3: port: is given already at FILE:2"},
      {"a name that DPDK cannot have", least + "port = a/b device=x role=none\n",
       "FILE:3: port: the name of a port must be 1 to 24 letters, digits, - or _, not \"a/b\""},
      {"an unknown word", least + "port = x device=y role=none speed=9\n",
       "FILE:3: port: \"speed=9\" is none of: busy-budget, device, interface, kernel, mtu, queues, "
       "role, rss, tap, vlans, xdp (each as KEY=VALUE)"},
      {"a word of the other kind", least + "port = x interface=eth0 role=none rss=l3\n",
       "FILE:3: port: rss is for device= only"},
      {"a VLAN twice", least + "port = x device=y vlans=5:ingress,5:egress\n",
       "FILE:3: port: vlans: VLAN 5 is given twice"},
      {"a VLAN that cannot be", least + "port = x device=y vlans=4095:ingress\n",
       "FILE:3: port: vlans must be a number from 1 to 4094, not \"4095\""},
      {"an interface twice",
       least + "port = x interface=eth0 role=none\nport = y interface=eth0 role=none\n",
       "FILE:4: port y: interface eth0 is port x already (FILE:3)"},
      {"an output of no service", least + "output = warp port=in\n",
       "FILE:3: output: \"warp\" is not a service; magic_transit, cdn and spectrum are"},
      {"an output of no port", least + "output = cdn port=out\n",
       "FILE:3: output cdn: there is no port \"out\""},
      {"a ring that nobody can attach to", least + "output = cdn ring=r\n",
       "FILE:3: output cdn: a ring needs hugepages = on: other processes can attach to nothing "
       "else"},
      {"a rewrite without next hop", least + "output = cdn port=in rewrite=ethernet\n",
       "FILE:3: output: cdn: rewrite=ethernet needs next-hop=MAC or an address"},
      {"a next hop without rewrite", least + "output = cdn port=in next-hop=02:00:00:00:00:01\n",
       "FILE:3: output: cdn: next-hop needs rewrite=ethernet"},
      {"a multicast next hop",
       least + "output = cdn port=in rewrite=ethernet next-hop=01:00:5e:00:00:01\n",
       "FILE:3: output: next-hop must be the MAC address of one station, not "
       "\"01:00:5e:00:00:01\""},
      {"CPUs that are not as many as workers", least + "workers = 2\nworker-cpus = 1\n",
       "worker-cpus names 1 CPUs for 2 workers"},
      {"a backslash", least + "port = x device=\\q role=none\n",
       "FILE:3: port: a backslash stands before \", ', \\ or n only"},
      {"control characters", least + "idle = \x1b[2J\n",
       "FILE:3: idle must be busy, pause or sleep, not \"\\u001b[2J\""},
  };
  for (const Wrong& wrong : cases)
    EXPECT_EQ(errors_of(wrong.text), wrong.errors) << wrong.description;
}

TEST_F(ConfigTest, ErrorsOfTheCommandLineNameTheOption) {
  EXPECT_EQ(errors_of(kLeast, {"--idle", "lazy"}),
            "--idle: idle must be busy, pause or sleep, not \"lazy\"");
  EXPECT_EQ(errors_of(kLeast, {"--workers", "1", "--workers", "2"}),
            "--workers: workers is given already at --workers");
  const auto unknown = parse({"--foo"});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error(), Errors{"unrecognised option '--foo'"});
  const auto word = parse({"foo"});
  ASSERT_FALSE(word);
  EXPECT_EQ(word.error(), Errors{"a word stands alone; each setting is --key value"});
}

TEST_F(ConfigTest, AFileThatCannotBeReadIsAnError) {
  const auto missing = parse({"--config", "/nowhere/steerd.conf"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().front(),
            "/nowhere/steerd.conf: cannot be opened: No such file or directory");
  const auto directory = parse({"--config", "/tmp"});
  ASSERT_FALSE(directory);
  EXPECT_EQ(directory.error().front(), "/tmp: is a directory");
}

TEST_F(ConfigTest, AnyBytesGiveAResult) {
  std::string bytes;
  for (int i = 0; i < 4096; ++i) bytes += static_cast<char>(i * 131 + i / 7);
  EXPECT_NE(errors_of(bytes), "none");
  EXPECT_NE(errors_of(std::string(100'000, 'x')), "none");
}

}  // namespace
