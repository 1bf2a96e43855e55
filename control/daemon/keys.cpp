// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "control/daemon/words.hpp"
#include "control/quote.hpp"

namespace control::daemon {
namespace {

using dataplane::Settings;
using Unknown = Settings::Unknown;

constexpr unsigned kWorkersMax = 127;  // EAL has 128 lcores, of which one is the control thread's

struct Key {
  KeyName name;
  bool repeated = false;
  bool changes_while_running = false;
  void (*set)(Config& config, const Setting& setting) = nullptr;  // throws BadValue
};

bool on_or_off(const Setting& setting) {
  return choice<bool>(setting.key, setting.value, {{"on", true}, {"off", false}});
}

unsigned small(const Setting& setting, Range range) {
  return static_cast<unsigned>(number(setting.key, setting.value, range));
}

dataplane::PortSet port_set(const Setting& setting) {
  dataplane::PortSet set;
  for (const unsigned port : numbers(setting.key, setting.value, {1, 65535})) set.set(port);
  return set;
}

// Throws BadValue: an empty variable in a script must not pass for "none".
std::filesystem::path path_of(const Config& config, const Setting& setting) {
  std::filesystem::path path = nonempty(setting.key, setting.value);
  if (path.is_absolute() || !setting.from_file) return path;
  return config.file.parent_path() / path;
}

// Puts a port or output in the place of the one before of the same name. A file says each once.
template <class T>
void replace_or_add(std::vector<T>& all, T item, bool from_file, auto same) {
  const auto before = std::ranges::find_if(all, same);
  if (before == all.end()) {
    all.push_back(std::move(item));
  } else if (from_file != before->origin.starts_with("--")) {
    throw BadValue{fmt::format("is given already at {}", before->origin)};
  } else {
    *before = std::move(item);
  }
}

void add_port(Config& config, const Setting& setting) {
  PortConfig port = port_of(setting.value);
  port.origin = setting.origin;
  const std::string name = port.name;
  replace_or_add(config.ports, std::move(port), setting.from_file,
                 [&](const PortConfig& other) { return other.name == name; });
}

void add_output(Config& config, const Setting& setting) {
  OutputConfig output = output_of(setting.value);
  output.origin = setting.origin;
  const dataplane::Service service = output.service;
  replace_or_add(config.outputs, std::move(output), setting.from_file,
                 [&](const OutputConfig& other) { return other.service == service; });
}

void add_log_level(Config& config, const Setting& setting) {
  const std::size_t colon = setting.value.rfind(':');
  LogLevel level{
      .module = colon == std::string::npos ? "*" : setting.value.substr(0, colon),
      .level = colon == std::string::npos ? setting.value : setting.value.substr(colon + 1)};
  level.level = choice<std::string>(setting.key, level.level,
                                    {{"error", "error"},
                                     {"warning", "warning"},
                                     {"notice", "notice"},
                                     {"info", "info"},
                                     {"debug", "debug"}});
  config.log_levels.push_back(std::move(level));
}

// The first that is given replaces the default, and the command line's those of the file.
void add_listen(Config& config, const Setting& setting) {
  const bool is_first = config.api.listen_from != setting.from_file;
  if (is_first) config.api.listen.clear();
  config.api.listen_from = setting.from_file;
  if (setting.value != "none") config.api.listen.push_back(listen_of(setting.key, setting.value));
}

void set_worker_cpus(Config& config, const Setting& setting) {
  config.workers_float = setting.value == "any";
  config.worker_cpus.clear();
  if (config.workers_float) return;
  config.worker_cpus = numbers(setting.key, setting.value, {0, 1023});
  std::set<unsigned> once(config.worker_cpus.begin(), config.worker_cpus.end());
  if (once.size() != config.worker_cpus.size()) throw BadValue{"worker-cpus: a CPU is given twice"};
}

const std::vector<Key>& keys() {
  static const std::vector<Key> kKeys{
      {.name = {"config", "FILE", "read settings from here too (key = value)", false},
       .set = [](Config& c, const Setting& s) { c.file = nonempty(s.key, s.value); }},
      {.name = {"check", nullptr, "say what would be done, and end", false},
       .set = [](Config& c, const Setting&) { c.check = true; }},
      {.name = {"help", nullptr, "print this text", false},
       .set = [](Config& c, const Setting&) { c.help = true; }},
      {.name = {"version", nullptr, "print the version", false},
       .set = [](Config& c, const Setting&) { c.version = true; }},
      {.name = {"port", "NAME KEY=VALUE...",
                "a port: interface= or device=, role=, vlans=, queues=, ..."},
       .repeated = true,
       .set = add_port},
      {.name = {"output", "SERVICE KEY=VALUE...",
                "where a service's packets go: port= or ring=, rewrite=, next-hop=, ..."},
       .repeated = true,
       .set = add_output},
      {.name = {"bindings", "FILE", "bindings to steer by (JSON), read again on SIGHUP"},
       .changes_while_running = true,
       .set = [](Config& c, const Setting& s) { c.bindings = path_of(c, s); }},
      {.name =
           {"data-directory", "DIR",
            "where the API keeps bindings, instead of a file (relative: to where it is started)"},
       .set = [](Config& c, const Setting& s) { c.data_directory = nonempty(s.key, s.value); }},
      {.name = {"api-listen", "ADDRESS:PORT|none", "where the API is served (127.0.0.1:8642)"},
       .repeated = true,
       .set = add_listen},
      {.name = {"api-socket", "PATH", "Unix socket of the API (NAME.sock in the run directory)"},
       .set = [](Config& c, const Setting& s) { c.api.socket = path_of(c, s); }},
      {.name = {"api-certificate", "FILE", "certificate chain (PEM): the API is served by TLS"},
       .set = [](Config& c, const Setting& s) { c.api.certificate = path_of(c, s); }},
      {.name = {"api-key", "FILE", "its key (PEM)"},
       .set = [](Config& c, const Setting& s) { c.api.key = path_of(c, s); }},
      {.name = {"api-rate", "N", "requests a second that a token may make (1000)"},
       .set = [](Config& c,
                 const Setting& s) { c.api.requests_per_second = small(s, {1, 1'000'000}); }},
      {.name = {"api-connections", "N", "connections of API clients at once (8192)"},
       .set = [](Config& c, const Setting& s) { c.api.connections_max = small(s, {1, 65'536}); }},
      {.name = {"api-idle-timeout", "TIME", "an API connection that waits longer is ended (60s)"},
       .set = [](Config& c, const Setting& s) { c.api.idle_time = duration(s.key, s.value); }},
      {.name = {"api-change-set-max", "MIB", "largest body of /steer/v1/changes (64)"},
       .set = [](Config& c, const Setting& s) { c.api.change_set_mib_max = small(s, {1, 1024}); }},
      {.name = {"api-import-max", "MIB", "largest body of /steer/v1/import (2048)"},
       .set = [](Config& c, const Setting& s) { c.api.import_mib_max = small(s, {1, 2048}); }},
      {.name = {"guard-share", "PERCENT",
                "deleted or re-serviced within ten minutes, more is taken for an accident (10)"},
       .changes_while_running = true,
       .set = [](Config& c, const Setting& s) { c.guard.share_percent = small(s, {0, 100}); }},
      {.name = {"guard-bindings", "N",
                "deleted or re-serviced at once, more is taken for an accident (100)"},
       .changes_while_running = true,
       .set = [](Config& c,
                 const Setting& s) { c.guard.bindings_at_once = small(s, {1, 1'000'000'000}); }},
      {.name = {"longest-prefix4", "BITS", "longest IPv4 prefix that can be onboarded (24)"},
       .changes_while_running = true,
       .set = [](Config& c, const Setting& s) { c.rules.longest_prefix4 = small(s, {0, 32}); }},
      {.name = {"longest-prefix6", "BITS", "longest IPv6 prefix that can be onboarded (48)"},
       .changes_while_running = true,
       .set = [](Config& c, const Setting& s) { c.rules.longest_prefix6 = small(s, {0, 128}); }},
      {.name = {"cdn-accept", "any|http", "what the CDN takes (any)"},
       .changes_while_running = true,
       .set =
           [](Config& c, const Setting& s) {
             c.settings.cdn_accept = choice<Settings::CdnAccept>(
                 s.key, s.value,
                 {{"any", Settings::CdnAccept::any}, {"http", Settings::CdnAccept::http}});
           }},
      {.name = {"http-tcp-ports", "PORTS", "TCP ports that are HTTP for cdn-accept"},
       .changes_while_running = true,
       .set = [](Config& c, const Setting& s) { c.settings.http_tcp = port_set(s); }},
      {.name = {"http-udp-ports", "PORTS", "UDP ports that are HTTP for cdn-accept"},
       .changes_while_running = true,
       .set = [](Config& c, const Setting& s) { c.settings.http_udp = port_set(s); }},
      {.name = {"spectrum-accept", "any|tcp-udp", "what Spectrum takes (any)"},
       .changes_while_running = true,
       .set =
           [](Config& c, const Setting& s) {
             c.settings.spectrum_accept =
                 choice<Settings::SpectrumAccept>(s.key, s.value,
                                                  {{"any", Settings::SpectrumAccept::any},
                                                   {"tcp-udp", Settings::SpectrumAccept::tcp_udp}});
           }},
      {.name = {"unmatched", "kernel|drop|magic_transit",
                "ingress packets that no binding covers (kernel)"},
       .changes_while_running = true,
       .set =
           [](Config& c, const Setting& s) {
             c.settings.unmatched = choice<Unknown>(s.key, s.value,
                                                    {{"kernel", Unknown::kernel},
                                                     {"drop", Unknown::drop},
                                                     {"magic_transit", Unknown::magic_transit}});
           }},
      {.name = {"egress-unknown", "magic_transit|kernel|drop",
                "egress packets to outside of all prefixes (magic_transit)"},
       .changes_while_running = true,
       .set =
           [](Config& c, const Setting& s) {
             c.settings.egress_unknown = choice<Unknown>(s.key, s.value,
                                                         {{"magic_transit", Unknown::magic_transit},
                                                          {"kernel", Unknown::kernel},
                                                          {"drop", Unknown::drop}});
           }},
      {.name = {"verify-checksum", "on|off",
                "drop packets with a wrong IPv4 header checksum (off)"},
       .changes_while_running = true,
       .set = [](Config& c, const Setting& s) { c.settings.verify_checksum = on_or_off(s); }},
      {.name = {"on-output-down", "drop|magic_transit",
                "packets of a service whose output is down (drop)"},
       .set =
           [](Config& c, const Setting& s) {
             c.output_down_to_magic_transit =
                 choice<bool>(s.key, s.value, {{"drop", false}, {"magic_transit", true}});
           }},
      {.name = {"workers", "N", "worker threads (1)"},
       .set = [](Config& c, const Setting& s) { c.workers = small(s, {1, kWorkersMax}); }},
      {.name = {"worker-cpus", "LIST|any", "CPU of each worker (the last ones there are)"},
       .set = set_worker_cpus},
      {.name = {"idle", "busy|pause|sleep", "what a worker without packets does (busy)"},
       .set =
           [](Config& c, const Setting& s) {
             c.idle = choice<Idle>(
                 s.key, s.value,
                 {{"busy", Idle::busy}, {"pause", Idle::pause}, {"sleep", Idle::sleep}});
           }},
      {.name = {"grace-timeout", "TIME",
                "a worker that holds an old table longer is reported (1s)"},
       .changes_while_running = true,
       .set = [](Config& c, const Setting& s) { c.grace_timeout = duration(s.key, s.value); }},
      {.name = {"stop-delay", "TIME",
                "how long to steer on after SIGTERM, not ready any more (0s)"},
       .set =
           [](Config& c, const Setting& s) {
             c.stop_delay =
                 s.value == "0s" ? std::chrono::milliseconds(0) : duration(s.key, s.value);
           }},
      {.name = {"file-prefix", "NAME", "names of DPDK's files and of this instance (steer)"},
       .set = [](Config& c, const Setting& s) { c.file_prefix = name(s.key, s.value); }},
      {.name = {"hugepages", "on|off", "memory for packets in hugepages (off)"},
       .set = [](Config& c, const Setting& s) { c.hugepages = on_or_off(s); }},
      {.name = {"memory", "MIB", "memory for packets (as needed)"},
       .set = [](Config& c, const Setting& s) { c.memory_mib = small(s, {16, 1U << 20}); }},
      {.name = {"descriptors", "N", "packets that a queue of a port holds (4096)"},
       .set =
           [](Config& c, const Setting& s) {
             c.descriptors = small(s, {64, 32768});
             if ((c.descriptors & (c.descriptors - 1)) != 0)
               throw BadValue{"descriptors must be a power of two"};
           }},
      {.name = {"bindings-max", "N", "counters for so many bindings (twice those of the start)"},
       .set =
           [](Config& c, const Setting& s) {
             c.bindings_max = small(s, {1, dataplane::Match::kBindingsMax});
             c.rules.bindings_max = c.bindings_max;
           }},
      {.name =
           {"xdp-entries-max", "N",
            "prefixes longer than 24 bits, and host addresses, that XDP programs know (262144)"},
       .set = [](Config& c, const Setting& s) { c.xdp_entries_max = small(s, {16, 1U << 24}); }},
      {.name = {"run-directory", "DIR", "pid file and lock (/run/steer, or the user's own)"},
       .set = [](Config& c, const Setting& s) { c.run_directory = path_of(c, s); }},
      {.name = {"user", "NAME", "whose rights to keep after the start (the starting user's)"},
       .set = [](Config& c, const Setting& s) { c.user = nonempty(s.key, s.value); }},
      {.name = {"eal", "ARGUMENT", "a further argument of DPDK's EAL, --x=y"},
       .repeated = true,
       .set = [](Config& c, const Setting& s) { c.eal.emplace_back(nonempty(s.key, s.value)); }},
      {.name = {"log-level", "[MODULE:]LEVEL", "error, warning, notice, info or debug (info)"},
       .repeated = true,
       .changes_while_running = true,
       .set = add_log_level},
  };
  return kKeys;
}

const Key* key_named(std::string_view name) noexcept {
  const auto found =
      std::ranges::find_if(keys(), [name](const Key& key) { return key.name.key == name; });
  return found == keys().end() ? nullptr : &*found;
}

std::vector<KeyName> names() {
  std::vector<KeyName> all;
  for (const Key& key : keys()) all.push_back(key.name);
  return all;
}

// Of a setting that can be given once, the later is an error where both come from one place; the
// command line wins over the file. `settings`: the file's first.
void set_all(Config& config, const std::vector<Setting>& settings, Errors& errors) {
  std::map<std::string, const Setting*> last;
  for (const Setting& setting : settings) {
    const Key& key = *key_named(setting.key);
    const Setting*& before = last[setting.key];
    if (!key.repeated && before != nullptr && before->from_file == setting.from_file)
      errors.push_back(fmt::format("{}: {} is given already at {}", setting.origin, setting.key,
                                   before->origin));
    before = &setting;
    try {
      key.set(config, setting);
    } catch (const BadValue& bad) {
      const std::string what = key.repeated && setting.from_file ? setting.key + ": " : "";
      errors.push_back(fmt::format("{}: {}{}", setting.origin, what, bad.message));
    }
  }
  for (const Setting& setting : settings)
    if (const Key& key = *key_named(setting.key); key.repeated || last[setting.key] == &setting)
      config.written.push_back({setting.key, setting.value});
  std::ranges::stable_sort(config.written, {}, &Config::Written::key);
}

void check_outputs(const Config& config, Errors& errors) {
  for (const OutputConfig& output : config.outputs) {
    if (output.port.empty() && !config.hugepages)
      errors.push_back(fmt::format(
          "{}: output {}: a ring needs hugepages = on: other processes can attach to nothing else",
          output.origin, name_of(output.service)));
    if (output.port.empty()) continue;
    const PortConfig* const port = config.port_named(output.port);
    if (port == nullptr)
      errors.push_back(fmt::format("{}: output {}: there is no port {}", output.origin,
                                   name_of(output.service), control::quoted(output.port)));
    else if (!output.next_hop_address.empty() && !port->is_kernels() &&
             port->kernel == PortConfig::KernelPath::none)
      errors.push_back(fmt::format(
          "{}: output {}: the kernel has no neighbours on port {} (it has neither interface= nor "
          "kernel=tap); next-hop must be a MAC address",
          output.origin, name_of(output.service), port->name));
  }
}

void check_ports(const Config& config, Errors& errors) {
  std::map<std::string, const PortConfig*> interfaces;
  for (const PortConfig& port : config.ports) {
    if (!port.is_kernels()) continue;
    const auto [before, is_new] = interfaces.emplace(port.interface, &port);
    if (!is_new)
      errors.push_back(fmt::format("{}: port {}: interface {} is port {} already ({})", port.origin,
                                   port.name, port.interface, before->second->name,
                                   before->second->origin));
  }
  const bool receives = std::ranges::any_of(config.ports, &PortConfig::receives);
  if (!receives)
    errors.emplace_back("no port receives anything: give one with role=ingress or egress");
}

// address: as an API is told to listen on.
bool is_loopback(const std::string& address) {
  if (const auto v4 = lpm::parse_address4(address)) return v4->bits >> 24 == 127;
  return lpm::parse_address6(address) == lpm::Address6{0, 1};
}

// What can be said only of all settings together.
void check_whole(const Config& config, Errors& errors) {
  if (config.bindings.empty() && config.data_directory.empty())
    errors.emplace_back(
        "bindings is missing: give the file to steer by, or a data-directory for the API");
  if (!config.bindings.empty() && !config.data_directory.empty())
    errors.emplace_back(
        "bindings and data-directory are both given: either a file says what to steer by, or the "
        "API's clients do");
  if (config.api.certificate.empty() != config.api.key.empty())
    errors.emplace_back("api-certificate and api-key belong together: give both or none");
  for (const ApiConfig::Listen& listen : config.api.listen)
    if (config.api.certificate.empty() && !is_loopback(listen.address))
      errors.push_back(fmt::format(
          "api-listen {} is not loopback: listening there needs TLS; give api-certificate and "
          "api-key",
          listen.address));
  check_ports(config, errors);
  check_outputs(config, errors);
  if (!config.worker_cpus.empty() && config.worker_cpus.size() != config.workers)
    errors.push_back(fmt::format("worker-cpus names {} CPUs for {} workers",
                                 config.worker_cpus.size(), config.workers));
}

}  // namespace

const PortConfig* Config::port_named(std::string_view name) const noexcept {
  const auto found = std::ranges::find(ports, name, &PortConfig::name);
  return found == ports.end() ? nullptr : &*found;
}

std::expected<Config, Errors> parse_config(int argc, const char* const* argv) {
  const auto command_line = settings_of_command_line(argc, argv, names());
  if (!command_line) return std::unexpected(command_line.error());
  Config config;
  std::vector<Setting> settings;
  for (const Setting& setting : *command_line)
    if (setting.key == "config") config.file = setting.value;
  Errors errors;
  if (!config.file.empty()) {
    auto file = settings_of_file(config.file, names());
    if (file)
      settings = std::move(*file);
    else
      errors = std::move(file.error());
  }
  settings.insert(settings.end(), command_line->begin(), command_line->end());
  set_all(config, settings, errors);
  if (config.help || config.version) return config;
  if (errors.empty()) check_whole(config, errors);
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return config;
}

bool can_change_while_running(std::string_view key) noexcept {
  const Key* const found = key_named(key);
  return found != nullptr && found->changes_while_running;
}

std::string usage() {
  return "Usage: steerd --config FILE [OPTIONS]\n"
         "Steer the packets of this host's ports to three services.\n\n" +
         described(names()) +
         R"(
Each option can also stand in the file, as a line `key = value`; configs/steerd.conf explains them.

Signals:
  SIGHUP           read the file and the bindings again; "generation N active" is logged when
                   every worker uses them
  SIGTERM, SIGINT  send what was received, give the ports back, and end (after stop-delay; a
                   second one ends at once)

Exit status:
  0  ended as asked; with --check: would start
  1  could not start, or could not go on
  2  the command line, the file or the bindings are wrong
)";
}

}  // namespace control::daemon
