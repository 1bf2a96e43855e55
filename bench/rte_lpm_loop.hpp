// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "lpm/fib.hpp"
#include "lpm/prefix.hpp"

struct rte_lpm;
struct rte_lpm6;
struct rte_mbuf;

// The alternative to the worker: a forwarding loop of the shape of DPDK's l3fwd over rte_lpm or
// rte_lpm6. Of each packet it checks the header as l3fwd does (RFC 1812: version, header length,
// TTL), looks the destination up, writes both MAC addresses, counts the TTL down and sends it with
// others of the same port. It counts nothing, knows no VLAN and asks no length.
namespace bench {

inline constexpr std::size_t kLoopPorts = 3;

template <class Address>
struct LpmOf;
template <>
struct LpmOf<lpm::Address4> {
  using Type = rte_lpm;
};
template <>
struct LpmOf<lpm::Address6> {
  using Type = rte_lpm6;
};

// Takes all packets.
using LoopSink = void (*)(void* context, std::size_t port, rte_mbuf** packets, std::uint16_t count);

template <class Address>
class RteLpmLoop {
 public:
  // EAL must have been started. Values of `routes`: 1 + port, port below kLoopPorts. Throws
  // std::runtime_error where the table cannot hold them.
  explicit RteLpmLoop(std::span<const lpm::Route<Address>> routes);
  ~RteLpmLoop();
  RteLpmLoop(const RteLpmLoop&) = delete;
  RteLpmLoop& operator=(const RteLpmLoop&) = delete;

  // count: at most 64. Packets that no route matches, or that are not to be forwarded, go to port
  // 0.
  void process(rte_mbuf** packets, std::uint16_t count, LoopSink sink, void* context);

 private:
  typename LpmOf<Address>::Type* table_;
};

extern template class RteLpmLoop<lpm::Address4>;
extern template class RteLpmLoop<lpm::Address6>;

}  // namespace bench
