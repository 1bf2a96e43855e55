// SPDX-License-Identifier: BSD-3-Clause
//
// Built for this machine: the others shall have the best that it offers.
#include "bench/rte_lpm_loop.hpp"

#include <immintrin.h>
#include <rte_errno.h>
#include <rte_lpm.h>
#include <rte_lpm6.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include <cstring>
#include <stdexcept>
#include <string>

namespace bench {
namespace {

constexpr std::uint32_t kNoRoute = 0;

// Both MAC addresses, as l3fwd has them ready for each port: 12 bytes, then what stays.
alignas(16) constexpr std::array<std::array<std::uint8_t, 16>, kLoopPorts> kMacs{{
    {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9},
    {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 9},
    {2, 0, 0, 0, 0, 3, 2, 0, 0, 0, 0, 9},
}};

void write_macs(std::uint8_t* frame, std::uint32_t port) {
  const __m128i macs = _mm_load_si128(reinterpret_cast<const __m128i*>(kMacs[port].data()));
  const __m128i before = _mm_loadu_si128(reinterpret_cast<const __m128i*>(frame));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(frame), _mm_blend_epi16(macs, before, 0xc0));
}

// RFC 1812 as l3fwd has it; returns the port.
std::uint32_t forward(std::uint8_t* frame, std::uint32_t port, lpm::Address4) {
  std::uint8_t* const ip = frame + 14;
  const bool is_good = ip[0] >= 0x45 && ip[0] < 0x50 && ip[8] > 1;
  std::uint16_t checksum = 0;
  std::memcpy(&checksum, ip + 10, sizeof checksum);
  ++checksum;
  std::memcpy(ip + 10, &checksum, sizeof checksum);
  --ip[8];
  return is_good ? port : 0;
}
std::uint32_t forward(std::uint8_t* frame, std::uint32_t port, lpm::Address6) {
  --frame[14 + 7];
  return port;
}

rte_lpm* make(std::span<const lpm::Route<lpm::Address4>> routes) {
  std::uint32_t longer = 0;
  for (const auto& [prefix, value] : routes) longer += prefix.length() > 24 ? 1U : 0U;
  rte_lpm_config config{};
  config.max_rules = static_cast<std::uint32_t>(routes.size()) + 1;
  config.number_tbl8s = std::min(longer + 1, 1U << 20);
  rte_lpm* const table = rte_lpm_create("rte_lpm_loop", SOCKET_ID_ANY, &config);
  if (table == nullptr)
    throw std::runtime_error(std::string("rte_lpm: ") + rte_strerror(rte_errno));
  for (const auto& [prefix, value] : routes)
    if (rte_lpm_add(table, prefix.network().bits, static_cast<std::uint8_t>(prefix.length()),
                    value) != 0)
      throw std::runtime_error("rte_lpm does not hold these routes");
  return table;
}
rte_lpm6* make(std::span<const lpm::Route<lpm::Address6>> routes) {
  rte_lpm6_config config{};
  config.max_rules = static_cast<std::uint32_t>(routes.size()) + 1;
  config.number_tbl8s =
      static_cast<std::uint32_t>(std::min<std::size_t>(routes.size() * 13 + 1, 1U << 20));
  rte_lpm6* const table = rte_lpm6_create("rte_lpm6_loop", SOCKET_ID_ANY, &config);
  if (table == nullptr)
    throw std::runtime_error(std::string("rte_lpm6: ") + rte_strerror(rte_errno));
  for (const auto& [prefix, value] : routes) {
    auto wire = prefix.network().to_wire();
    if (rte_lpm6_add(table, wire.data(), static_cast<std::uint8_t>(prefix.length()), value) != 0)
      throw std::runtime_error("rte_lpm6 does not hold these routes");
  }
  return table;
}
void destroy(rte_lpm* table) {
  rte_lpm_free(table);
}
void destroy(rte_lpm6* table) {
  rte_lpm6_free(table);
}

std::uint32_t destination(const rte_mbuf* packet) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, rte_pktmbuf_mtod_offset(packet, const std::uint8_t*, 30), sizeof bits);
  return bits;
}

void look_up(const rte_lpm* table, rte_mbuf* const* packets, std::uint16_t count,
             std::uint32_t* ports) {
  const __m128i swap = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
  std::uint16_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const __m128i wire = _mm_set_epi32(static_cast<int>(destination(packets[i + 3])),
                                       static_cast<int>(destination(packets[i + 2])),
                                       static_cast<int>(destination(packets[i + 1])),
                                       static_cast<int>(destination(packets[i])));
    rte_lpm_lookupx4(table, _mm_shuffle_epi8(wire, swap), ports + i, kNoRoute);
  }
  for (; i < count; ++i)
    if (rte_lpm_lookup(table, __builtin_bswap32(destination(packets[i])), ports + i) != 0)
      ports[i] = kNoRoute;
}
void look_up(const rte_lpm6* table, rte_mbuf* const* packets, std::uint16_t count,
             std::uint32_t* ports) {
  std::array<std::uint8_t[16], 64> keys;
  std::array<std::int32_t, 64> hops;
  for (std::uint16_t i = 0; i < count; ++i)
    std::memcpy(keys[i], rte_pktmbuf_mtod_offset(packets[i], const std::uint8_t*, 38), 16);
  rte_lpm6_lookup_bulk_func(table, keys.data(), hops.data(), count);
  for (std::uint16_t i = 0; i < count; ++i)
    ports[i] = hops[i] < 0 ? kNoRoute : static_cast<std::uint32_t>(hops[i]);
}

}  // namespace

template <class Address>
RteLpmLoop<Address>::RteLpmLoop(std::span<const lpm::Route<Address>> routes)
    : table_(make(routes)) {}

template <class Address>
RteLpmLoop<Address>::~RteLpmLoop() {
  destroy(table_);
}

template <class Address>
void RteLpmLoop<Address>::process(rte_mbuf** packets, std::uint16_t count, LoopSink sink,
                                  void* context) {
  std::array<std::uint32_t, 64> ports;
  std::array<std::array<rte_mbuf*, 64>, kLoopPorts> leaving;
  std::array<std::uint16_t, kLoopPorts> counts{};
  for (std::uint16_t i = 0; i < count; ++i)
    rte_prefetch0(rte_pktmbuf_mtod(packets[i], const void*));
  look_up(table_, packets, count, ports.data());
  for (std::uint16_t i = 0; i < count; ++i) {
    auto* const frame = rte_pktmbuf_mtod(packets[i], std::uint8_t*);
    const std::uint32_t port = forward(frame, ports[i] == kNoRoute ? 0 : ports[i] - 1, Address());
    write_macs(frame, port);
    leaving[port][counts[port]++] = packets[i];
  }
  for (std::size_t port = 0; port < kLoopPorts; ++port)
    if (counts[port] != 0) sink(context, port, leaving[port].data(), counts[port]);
}

template class RteLpmLoop<lpm::Address4>;
template class RteLpmLoop<lpm::Address6>;

}  // namespace bench
