// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>
#include <set>
#include <stdexcept>

#include "control/daemon/setting.hpp"
#include "control/quote.hpp"
#include "lpm/address.hpp"

namespace control::daemon {
namespace {

using dataplane::Direction;

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<std::uint64_t> digits(std::string_view text, int base = 10) {
  std::uint64_t value = 0;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const auto [stopped, error] = std::from_chars(begin, end, value, base);
  if (text.empty() || error != std::errc() || stopped != end) return std::nullopt;
  return value;
}

Direction direction(std::string_view what, std::string_view text) {
  return choice<Direction>(what, text,
                           {{"ingress", Direction::ingress}, {"egress", Direction::egress}});
}

// "100:ingress,200-210:egress"
std::vector<VlanRole> vlan_roles(std::string_view text) {
  std::map<std::uint16_t, Direction> roles;
  for (const std::string_view part : split(text, ',')) {
    const std::size_t colon = part.find(':');
    if (colon == std::string_view::npos)
      throw BadValue{fmt::format("vlans: {} is not of the form VLAN:ingress or VLAN:egress",
                                 control::quoted(part))};
    const Direction role = direction("vlans", part.substr(colon + 1));
    for (const unsigned vlan : numbers("vlans", part.substr(0, colon), {1, 4094}))
      if (!roles.emplace(static_cast<std::uint16_t>(vlan), role).second)
        throw BadValue{fmt::format("vlans: VLAN {} is given twice", vlan)};
  }
  std::vector<VlanRole> all;
  for (const auto& [vlan, role] : roles) all.push_back({vlan, role});
  return all;
}

std::uint32_t power_of_two(std::string_view what, std::string_view text, Range allowed) {
  const std::uint64_t value = number(what, text, allowed);
  if ((value & (value - 1)) != 0)
    throw BadValue{fmt::format("{} must be a power of two, not {}", what, value)};
  return static_cast<std::uint32_t>(value);
}

using Setters = std::map<std::string, std::function<void(const std::string&)>, std::less<>>;

// Calls the setter of each word KEY=VALUE behind the first.
void set_each(const std::vector<std::string>& words, const Setters& setters) {
  std::set<std::string> seen;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::size_t equals = words[i].find('=');
    const std::string key = words[i].substr(0, equals);
    const auto setter = setters.find(key);
    if (equals == std::string::npos || setter == setters.end()) {
      std::string known;
      for (const auto& [name, unused] : setters) known += (known.empty() ? "" : ", ") + name;
      throw BadValue{
          fmt::format("{} is none of: {} (each as KEY=VALUE)", control::quoted(words[i]), known)};
    }
    if (!seen.insert(key).second) throw BadValue{fmt::format("{} is given twice", key)};
    setter->second(words[i].substr(equals + 1));
  }
}

std::vector<std::string> words_in(const std::string& text, std::string_view form) {
  std::vector<std::string> words;
  try {
    words = words_of(text);
  } catch (const std::runtime_error&) {
    throw BadValue{"a backslash stands before \", ', \\ or n only"};
  }
  std::erase(words, "");
  if (words.empty()) throw BadValue{fmt::format("is empty; it is of the form: {}", form)};
  return words;
}

}  // namespace

ApiConfig::Listen listen_of(std::string_view what, std::string_view text) {
  const std::size_t colon = text.rfind(':');
  std::string_view address = text.substr(0, colon);
  const std::string_view port =
      colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  const bool is_ipv6 = address.starts_with('[') && address.ends_with(']');
  if (is_ipv6) address = address.substr(1, address.size() - 2);
  const bool is_address =
      is_ipv6 ? lpm::parse_address6(address).has_value() : lpm::parse_address4(address).has_value();
  if (!is_address || !digits(port))
    throw BadValue{
        fmt::format("{} must be none or ADDRESS:PORT, as 127.0.0.1:8642 or [::1]:8642, not {}",
                    what, control::quoted(text))};
  return {.address = std::string(address),
          .port = static_cast<std::uint16_t>(number(what, port, {0, 65535}))};
}

void refuse_choice(std::string_view what, std::string_view text,
                   const std::vector<std::string_view>& allowed) {
  std::string list;
  for (std::size_t i = 0; i < allowed.size(); ++i) {
    if (i != 0) list += i + 1 == allowed.size() ? " or " : ", ";
    list += allowed[i];
  }
  throw BadValue{fmt::format("{} must be {}, not {}", what, list, control::quoted(text))};
}

std::uint64_t number(std::string_view what, std::string_view text, Range allowed) {
  const std::optional<std::uint64_t> value = digits(text);
  if (!value || *value < allowed.min || *value > allowed.max)
    throw BadValue{fmt::format("{} must be a number from {} to {}, not {}", what, allowed.min,
                               allowed.max, control::quoted(text))};
  return *value;
}

std::string_view nonempty(std::string_view what, std::string_view text) {
  if (text.empty()) throw BadValue{fmt::format("{} must not be empty", what)};
  return text;
}

std::string name(std::string_view what, std::string_view text) {
  const bool is_right =
      !text.empty() && text.size() <= kNameBytesMax && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_';
      });
  if (!is_right)
    throw BadValue{fmt::format("{} must be 1 to {} letters, digits, - or _, not {}", what,
                               kNameBytesMax, control::quoted(text))};
  return std::string(text);
}

dataplane::MacAddress mac(std::string_view what, std::string_view text) {
  dataplane::MacAddress address{};
  const std::vector<std::string_view> parts = split(text, ':');
  bool is_right = parts.size() == address.size();
  for (std::size_t i = 0; is_right && i < address.size(); ++i) {
    const std::optional<std::uint64_t> byte = digits(parts[i], 16);
    is_right = parts[i].size() == 2 && byte.has_value();
    if (is_right) address[i] = static_cast<std::uint8_t>(*byte);
  }
  if (!is_right)
    throw BadValue{fmt::format("{} must be a MAC address like 02:00:5e:10:00:01, not {}", what,
                               control::quoted(text))};
  if ((address[0] & 1) != 0 || address == dataplane::MacAddress{})
    throw BadValue{fmt::format("{} must be the MAC address of one station, not {}", what,
                               control::quoted(text))};
  return address;
}

std::chrono::milliseconds duration(std::string_view what, std::string_view text) {
  const std::size_t unit = text.find_first_not_of("0123456789");
  const std::string_view suffix =
      unit == std::string_view::npos ? std::string_view() : text.substr(unit);
  const std::optional<std::uint64_t> value = digits(text.substr(0, unit));
  const std::uint64_t scale = suffix == "s" ? 1000 : suffix == "ms" ? 1 : 0;
  constexpr std::uint64_t kMax = 3'600'000;
  if (!value || scale == 0 || *value == 0 || *value > kMax / scale)
    throw BadValue{fmt::format("{} must be a time like 500ms or 2s, at most an hour, not {}", what,
                               control::quoted(text))};
  return std::chrono::milliseconds(*value * scale);
}

std::vector<unsigned> numbers(std::string_view what, std::string_view text, Range allowed) {
  std::vector<unsigned> all;
  for (const std::string_view part : split(text, ',')) {
    const std::size_t dash = part.find('-');
    const std::uint64_t first = number(what, part.substr(0, dash), allowed);
    const std::uint64_t last =
        dash == std::string_view::npos ? first : number(what, part.substr(dash + 1), allowed);
    if (last < first)
      throw BadValue{fmt::format("{}: {} runs backwards", what, control::quoted(part))};
    for (std::uint64_t value = first; value <= last; ++value)
      all.push_back(static_cast<unsigned>(value));
  }
  return all;
}

PortConfig port_of(const std::string& text) {
  using Rss = PortConfig::Rss;
  using Xdp = PortConfig::Xdp;
  using KernelPath = PortConfig::KernelPath;
  const std::vector<std::string> words =
      words_in(text, "NAME interface=IF|device=ARGS role=ingress|egress|none");
  PortConfig port;
  port.name = name("the name of a port", words.front());
  bool has_role = false;
  std::set<std::string> only_interface;
  std::set<std::string> only_device;
  const Setters setters{
      {"interface", [&](const std::string& v) { port.interface = nonempty("interface", v); }},
      {"device", [&](const std::string& v) { port.device = nonempty("device", v); }},
      {"role",
       [&](const std::string& v) {
         port.role = choice<std::optional<Direction>>("role", v,
                                                      {{"ingress", Direction::ingress},
                                                       {"egress", Direction::egress},
                                                       {"none", std::nullopt}});
         has_role = true;
       }},
      {"vlans", [&](const std::string& v) { port.vlans = vlan_roles(v); }},
      {"queues",
       [&](const std::string& v) {
         port.queues = static_cast<unsigned>(number("queues", v, {1, 64}));
       }},
      {"rss",
       [&](const std::string& v) {
         port.rss = choice<Rss>("rss", v, {{"l3l4", Rss::l3_l4}, {"l3", Rss::l3}});
         only_device.insert("rss");
       }},
      {"mtu",
       [&](const std::string& v) {
         port.mtu = static_cast<unsigned>(number("mtu", v, {68, 9600}));
         only_device.insert("mtu");
       }},
      {"kernel",
       [&](const std::string& v) {
         port.kernel = choice<KernelPath>("kernel", v,
                                          {{"none", KernelPath::none}, {"tap", KernelPath::tap}});
         only_device.insert("kernel");
       }},
      {"tap",
       [&](const std::string& v) {
         port.tap = name("tap", v);
         only_device.insert("tap");
       }},
      {"xdp",
       [&](const std::string& v) {
         port.xdp = choice<Xdp>(
             "xdp", v,
             {{"auto", Xdp::automatic}, {"native", Xdp::native}, {"generic", Xdp::generic}});
         only_interface.insert("xdp");
       }},
      {"busy-budget",
       [&](const std::string& v) {
         port.busy_budget = static_cast<unsigned>(number("busy-budget", v, {0, 65535}));
         only_interface.insert("busy-budget");
       }},
  };
  set_each(words, setters);
  if (port.interface.empty() == port.device.empty())
    throw BadValue{"is either interface=IF (the kernel's) or device=ARGS (DPDK's)"};
  if (port.interface.size() > 15) throw BadValue{"interface names have at most 15 bytes"};
  if (!has_role && port.vlans.empty())
    throw BadValue{"needs role=ingress, egress or none, or vlans=VLAN:ROLE,..."};
  for (const std::string& key : port.is_kernels() ? only_device : only_interface)
    throw BadValue{
        fmt::format("{} is for {} only", key, port.is_kernels() ? "device=" : "interface=")};
  if (port.kernel == KernelPath::tap && !port.receives())
    throw BadValue{"kernel=tap needs a role: nothing is received here"};
  if (port.kernel == KernelPath::none && !port.tap.empty()) throw BadValue{"tap needs kernel=tap"};
  if (port.tap.empty()) port.tap = port.name;
  if (port.kernel == KernelPath::tap && port.tap.size() > 15)
    throw BadValue{"interface names have at most 15 bytes: give the TAP another with tap="};
  return port;
}

OutputConfig output_of(const std::string& text) {
  using Producers = OutputConfig::Producers;
  const std::vector<std::string> words =
      words_in(text, "SERVICE port=PORT|ring=RING [KEY=VALUE]...");
  const std::optional<dataplane::Service> service = dataplane::service_named(words.front());
  if (!service)
    throw BadValue{fmt::format("{} is not a service; magic_transit, cdn and spectrum are",
                               control::quoted(words.front()))};
  OutputConfig output;
  output.service = *service;
  dataplane::Rewrite rewrite;
  bool is_ethernet = false;
  bool has_next_hop = false;
  std::set<std::string> only_ethernet;
  std::set<std::string> only_ring;
  const Setters setters{
      {"port", [&](const std::string& v) { output.port = name("port", v); }},
      {"ring", [&](const std::string& v) { output.ring = name("ring", v); }},
      {"packets",
       [&](const std::string& v) {
         output.ring_packets = power_of_two("packets", v, {64, 1U << 20});
         only_ring.insert("packets");
       }},
      {"producers",
       [&](const std::string& v) {
         output.producers = choice<Producers>(
             "producers", v, {{"single", Producers::single}, {"multi", Producers::multi}});
         only_ring.insert("producers");
       }},
      {"rewrite",
       [&](const std::string& v) {
         is_ethernet = choice<bool>("rewrite", v, {{"none", false}, {"ethernet", true}});
       }},
      {"next-hop",
       [&](const std::string& v) {
         has_next_hop = true;
         only_ethernet.insert("next-hop");
         const bool is_address =
             lpm::parse_address4(v).has_value() || lpm::parse_address6(v).has_value();
         if (is_address)
           output.next_hop_address = v;
         else
           rewrite.destination = mac("next-hop", v);
       }},
      {"source",
       [&](const std::string& v) {
         rewrite.source = mac("source", v);
         output.has_source = true;
         only_ethernet.insert("source");
       }},
      {"vlan",
       [&](const std::string& v) {
         rewrite.vlan = static_cast<std::uint16_t>(number("vlan", v, {1, 4094}));
         only_ethernet.insert("vlan");
       }},
      {"ttl",
       [&](const std::string& v) {
         rewrite.decrement_ttl = choice<bool>("ttl", v, {{"decrement", true}, {"keep", false}});
         only_ethernet.insert("ttl");
       }},
      {"mtu",
       [&](const std::string& v) {
         rewrite.mtu = static_cast<std::uint32_t>(number("mtu", v, {68, 65535}));
         output.has_mtu = true;
         only_ethernet.insert("mtu");
       }},
  };
  set_each(words, setters);
  if (output.port.empty() == output.ring.empty())
    throw BadValue{fmt::format("{}: is either port=PORT or ring=RING", words.front())};
  if (!output.port.empty() && !only_ring.empty())
    throw BadValue{fmt::format("{}: {} is for ring= only", words.front(), *only_ring.begin())};
  if (!is_ethernet && !only_ethernet.empty())
    throw BadValue{
        fmt::format("{}: {} needs rewrite=ethernet", words.front(), *only_ethernet.begin())};
  if (is_ethernet && !has_next_hop)
    throw BadValue{
        fmt::format("{}: rewrite=ethernet needs next-hop=MAC or an address", words.front())};
  if (is_ethernet && !output.ring.empty() && (!output.has_source || !output.has_mtu))
    throw BadValue{fmt::format(
        "{}: a ring has no address and MTU of its own: give source= and mtu=", words.front())};
  if (!output.ring.empty() && !output.next_hop_address.empty())
    throw BadValue{
        fmt::format("{}: a ring has no neighbours: next-hop must be a MAC address", words.front())};
  if (is_ethernet) output.rewrite = rewrite;
  return output;
}

}  // namespace control::daemon
