// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/neighbours.hpp"

#include <arpa/inet.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <span>

namespace control::daemon {
namespace {

// As the kernel wants it: an address of either family.
struct Target {
  int family = AF_UNSPEC;
  std::array<std::uint8_t, 16> bytes{};
  std::size_t size = 0;
};

Target target_of(const std::string& address) {
  Target target;
  if (inet_pton(AF_INET, address.c_str(), target.bytes.data()) == 1)
    target = {.family = AF_INET, .bytes = target.bytes, .size = 4};
  else if (inet_pton(AF_INET6, address.c_str(), target.bytes.data()) == 1)
    target = {.family = AF_INET6, .bytes = target.bytes, .size = 16};
  return target;
}

struct Request {
  nlmsghdr header{};
  ndmsg neighbour{};
  rtattr destination{};
  std::array<std::uint8_t, 16> address{};
};

struct Entry {
  bool is_known = false;
  bool is_stale = false;
  dataplane::MacAddress mac{};
};

// rtnetlink(7). The reply to RTM_GETNEIGH of one neighbour is one RTM_NEWNEIGH, or an error.
Entry entry_of(std::span<const std::uint8_t> reply) {
  constexpr std::uint16_t kUsable =
      NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP;
  nlmsghdr header{};
  ndmsg neighbour{};
  if (reply.size() < NLMSG_HDRLEN + sizeof neighbour) return {};
  std::memcpy(&header, reply.data(), sizeof header);
  if (header.nlmsg_type != RTM_NEWNEIGH || header.nlmsg_len > reply.size()) return {};
  std::memcpy(&neighbour, reply.data() + NLMSG_HDRLEN, sizeof neighbour);
  Entry entry;
  std::size_t at = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof neighbour);
  while (at + sizeof(rtattr) <= header.nlmsg_len) {
    rtattr attribute{};
    std::memcpy(&attribute, reply.data() + at, sizeof attribute);
    if (attribute.rta_len < sizeof attribute || at + attribute.rta_len > header.nlmsg_len) break;
    if (attribute.rta_type == NDA_LLADDR &&
        attribute.rta_len == sizeof attribute + entry.mac.size()) {
      std::memcpy(entry.mac.data(), reply.data() + at + sizeof attribute, entry.mac.size());
      entry.is_known = (neighbour.ndm_state & kUsable) != 0;
    }
    at += NLMSG_ALIGN(attribute.rta_len);
  }
  entry.is_stale = (neighbour.ndm_state & NUD_STALE) != 0;
  return entry;
}

}  // namespace

Neighbours::Neighbours() : netlink_(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)) {
  // The kernel answers at once; this is against the impossible.
  const timeval limit{.tv_sec = 0, .tv_usec = 5000};
  setsockopt(netlink_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

Neighbours::~Neighbours() {
  close(netlink_);
}

std::optional<dataplane::MacAddress> Neighbours::find(const std::string& interface,
                                                      const std::string& address) {
  constexpr std::chrono::milliseconds kUnknownEvery{500};
  constexpr std::chrono::milliseconds kStaleEvery{10'000};
  const Target target = target_of(address);
  Request request;
  request.header.nlmsg_type = RTM_GETNEIGH;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  request.neighbour.ndm_family = static_cast<std::uint8_t>(target.family);
  request.neighbour.ndm_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
  request.destination.rta_type = NDA_DST;
  request.destination.rta_len = static_cast<std::uint16_t>(sizeof(rtattr) + target.size);
  request.address = target.bytes;
  request.header.nlmsg_len =
      static_cast<std::uint32_t>(sizeof request - request.address.size() + target.size);
  Entry entry;
  std::array<std::uint8_t, 4096> reply{};
  if (send(netlink_, &request, request.header.nlmsg_len, 0) > 0)
    if (const ssize_t size = recv(netlink_, reply.data(), reply.size(), 0); size > 0)
      entry = entry_of({reply.data(), static_cast<std::size_t>(size)});
  if (!entry.is_known)
    probe(interface, address, kUnknownEvery);
  else if (entry.is_stale)
    probe(interface, address, kStaleEvery);
  const std::string key = interface + " " + address;
  const Clock::time_point now = Clock::now();
  if (entry.is_known) {
    known_[key] = {entry.mac, now};
    return entry.mac;
  }
  // An entry that was flushed is gone or marked as failed, like that of a neighbour who does not
  // answer any more: only time tells. The kernel asks three times, a second apart.
  constexpr std::chrono::seconds kKept{4};
  const auto last = known_.find(key);
  if (last == known_.end()) return std::nullopt;
  if (now - last->second.at < kKept) return last->second.mac;
  known_.erase(last);
  return std::nullopt;
}

void Neighbours::probe(const std::string& interface, const std::string& address,
                       std::chrono::milliseconds at_most_every) {
  constexpr std::uint16_t kDiscard = 9;  // RFC 863
  const Clock::time_point now = Clock::now();
  const auto [last, is_first] = probed_at_.try_emplace(interface + " " + address, now);
  if (!is_first && now - last->second < at_most_every) return;
  last->second = now;
  const Target target = target_of(address);
  const int probe = socket(target.family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0) return;
  setsockopt(probe, SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(),
             static_cast<socklen_t>(interface.size()));
  sockaddr_in6 to6{};
  sockaddr_in to4{};
  to6.sin6_family = AF_INET6;
  to6.sin6_port = htons(kDiscard);
  to6.sin6_scope_id = if_nametoindex(interface.c_str());
  std::memcpy(&to6.sin6_addr, target.bytes.data(), sizeof to6.sin6_addr);
  to4.sin_family = AF_INET;
  to4.sin_port = htons(kDiscard);
  std::memcpy(&to4.sin_addr, target.bytes.data(), sizeof to4.sin_addr);
  // Whether it goes out does not matter: the kernel looks for the neighbour first.
  [[maybe_unused]] ssize_t sent = 0;
  if (target.family == AF_INET)
    sent = sendto(probe, nullptr, 0, 0, reinterpret_cast<const sockaddr*>(&to4), sizeof to4);
  else
    sent = sendto(probe, nullptr, 0, 0, reinterpret_cast<const sockaddr*>(&to6), sizeof to6);
  close(probe);
}

}  // namespace control::daemon
