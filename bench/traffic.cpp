// SPDX-License-Identifier: BSD-3-Clause
#include "bench/traffic.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <span>

namespace bench {
namespace {

using dataplane::Match;
using dataplane::Service;

constexpr unsigned kPrefixes = 1000;
constexpr unsigned kHostsPerPrefix = 4;
constexpr std::uint64_t kSeed = 42;

class Random {
 public:
  // 0 to n - 1
  std::uint64_t below(std::uint64_t n) {
    return std::uniform_int_distribution<std::uint64_t>(0, n - 1)(engine_);
  }
  Service host_service() { return below(2) == 0 ? Service::cdn : Service::spectrum; }

 private:
  std::mt19937_64 engine_{kSeed};
};

lpm::Address4 some_prefix(Random& random, lpm::Address4) {
  const auto network = static_cast<std::uint32_t>((11 + random.below(90)) << 24);
  return {network | static_cast<std::uint32_t>(random.below(1U << 16) << 8)};
}
lpm::Address6 some_prefix(Random& random, lpm::Address6) {
  return {std::uint64_t{0x2a} << 56 | random.below(std::uint64_t{1} << 40) << 16, 0};
}
lpm::Address4 some_host(Random& random, lpm::Address4 prefix) {
  return {prefix.bits | static_cast<std::uint32_t>(1 + random.below(254))};
}
lpm::Address6 some_host(Random& random, lpm::Address6 prefix) {
  return {prefix.high, random.below(~std::uint64_t{0})};
}

template <class Address>
struct Bindings {
  lpm::RouteSet<Address> routes;
  std::vector<Address> prefixes;
  std::vector<Address> hosts;
  std::uint32_t count = 0;

  void add(const lpm::Prefix<Address>& cidr, Service service) {
    if (!routes.find(cidr)) ++count;
    routes.insert(cidr, Match::of(service, count).word());
  }
};

template <class Address>
Bindings<Address> make_bindings(Random& random, unsigned prefix_length) {
  Bindings<Address> bindings;
  for (unsigned p = 0; p < kPrefixes; ++p) {
    const Address prefix = some_prefix(random, Address{});
    bindings.prefixes.push_back(prefix);
    bindings.add(lpm::Prefix<Address>::enclosing(prefix, prefix_length), Service::magic_transit);
    for (unsigned h = 0; h < kHostsPerPrefix; ++h) {
      const Address host = some_host(random, prefix);
      bindings.hosts.push_back(host);
      bindings.add(lpm::Prefix<Address>::enclosing(host, Address::kBits), random.host_service());
    }
  }
  return bindings;
}

template <class Address>
Address some_destination(Random& random, const Bindings<Address>& bindings) {
  if (random.below(2) == 0) return bindings.hosts[random.below(bindings.hosts.size())];
  return some_host(random, bindings.prefixes[random.below(bindings.prefixes.size())]);
}

void put16(std::uint8_t* to, std::uint32_t value) {
  to[0] = static_cast<std::uint8_t>(value >> 8);
  to[1] = static_cast<std::uint8_t>(value);
}

constexpr std::array<std::uint32_t, 4> kPorts{53, 80, 443, 5060};

void put_udp(Random& random, std::uint8_t* udp, std::uint32_t length) {
  put16(udp, static_cast<std::uint32_t>(1024 + random.below(64000)));
  put16(udp + 2, kPorts[random.below(kPorts.size())]);
  put16(udp + 4, length);
}

// 60 bytes, as on the wire without the frame check sequence.
void write_frame(Random& random, lpm::Address4 destination, std::uint8_t* frame) {
  put16(frame + 12, 0x0800);
  std::uint8_t* const ip = frame + 14;
  ip[0] = 0x45;
  put16(ip + 2, 46);
  ip[8] = 64;
  ip[9] = 17;
  std::ranges::copy(lpm::Address4{0x0b000001}.to_wire(), ip + 12);
  std::ranges::copy(destination.to_wire(), ip + 16);
  put_udp(random, ip + 20, 26);
}

// 78 bytes.
void write_frame(Random& random, lpm::Address6 destination, std::uint8_t* frame) {
  put16(frame + 12, 0x86dd);
  std::uint8_t* const ip = frame + 14;
  ip[0] = 0x60;
  put16(ip + 4, 24);
  ip[6] = 17;
  ip[7] = 64;
  std::ranges::copy(lpm::Address6{std::uint64_t{0x2001} << 48, 1}.to_wire(), ip + 8);
  std::ranges::copy(destination.to_wire(), ip + 24);
  put_udp(random, ip + 40, 24);
}

constexpr std::uint32_t kFrameBytes4 = 60;
constexpr std::uint32_t kFrameBytes6 = 78;

template <class Address>
Workload make(std::uint32_t packets, unsigned prefix_length, std::uint32_t frame_bytes,
              const dataplane::Settings& settings) {
  Random random;
  const Bindings<Address> bindings = make_bindings<Address>(random, prefix_length);
  Workload workload;
  workload.frame_bytes = frame_bytes;
  workload.packets = packets;
  workload.frames.resize(std::size_t{packets} * frame_bytes);
  for (std::uint32_t i = 0; i < packets; ++i)
    write_frame(random, some_destination(random, bindings),
                workload.frames.data() + std::size_t{i} * frame_bytes);
  if constexpr (Address::kBits == 32)
    workload.routes4 = bindings.routes;
  else
    workload.routes6 = bindings.routes;
  workload.table = std::make_unique<const dataplane::Table>(1, settings, workload.routes4,
                                                            workload.routes6, bindings.count);
  return workload;
}

}  // namespace

Workload make_ipv4(std::uint32_t packets, const dataplane::Settings& settings) {
  return make<lpm::Address4>(packets, 24, kFrameBytes4, settings);
}

Workload make_ipv6(std::uint32_t packets, const dataplane::Settings& settings) {
  return make<lpm::Address6>(packets, 48, kFrameBytes6, settings);
}

std::vector<std::uint8_t> make_frame(lpm::Address4 destination) {
  Random random;
  std::vector<std::uint8_t> frame(kFrameBytes4);
  write_frame(random, destination, frame.data());
  return frame;
}

std::vector<std::uint8_t> make_frame(lpm::Address6 destination) {
  Random random;
  std::vector<std::uint8_t> frame(kFrameBytes6);
  write_frame(random, destination, frame.data());
  return frame;
}

}  // namespace bench
