// SPDX-License-Identifier: BSD-3-Clause
#include "control/explain.hpp"

#include <utility>

namespace control {
namespace {

using dataplane::Service;
using dataplane::Settings;
using dataplane::Verdict;

constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;

bool is_local_scope(lpm::Address4 address) {
  const std::uint32_t top = address.bits >> 24;
  const bool is_link_local = address.bits >> 16 == 0xa9fe;
  const bool is_multicast = top >= 224 && top < 240;
  return top == 127 || is_link_local || is_multicast || address.bits == 0xffffffff;
}

bool is_local_scope(lpm::Address6 address) {
  const bool is_loopback = address.high == 0 && address.low == 1;
  const bool is_link_local = address.high >> 54 == 0xfe80 >> 6;
  const bool is_multicast = address.high >> 56 == 0xff;
  return is_loopback || is_link_local || is_multicast;
}

struct Found {
  std::optional<lpm::AnyPrefix> prefix;
  std::optional<Binding> binding;
};

// From the longest possible block around the address to the shortest.
template <class Address>
Found find(const BindingSet& set, Address address) {
  const auto block = [&](unsigned length) {
    return lpm::AnyPrefix(lpm::Prefix<Address>::enclosing(address, length));
  };
  const Bindings* bindings = nullptr;
  Found found;
  for (unsigned length = Address::kBits + 1; length-- > 0 && bindings == nullptr;) {
    bindings = set.find(block(length));
    if (bindings != nullptr) found.prefix = block(length);
  }
  if (bindings == nullptr) return found;
  const lpm::AnyPrefix host = block(Address::kBits);
  const Binding* binding = bindings->find(host);
  if (binding == nullptr) binding = bindings->cover_of(host);
  if (binding != nullptr) found.binding = *binding;
  return found;
}

// What `accept` judges a packet by.
struct Flow {
  std::optional<std::uint8_t> protocol;
  std::optional<std::uint16_t> port;
};

Flow flow_of(const Query& query) {
  if (query.fragment) return {query.protocol, std::nullopt};
  if (query.quoted) return {query.quoted->protocol, query.quoted->source_port};
  return {query.protocol, query.destination_port};
}

bool is_http(const Settings& settings, const Flow& flow) {
  if (!flow.port) return false;
  if (flow.protocol == kTcp) return settings.http_tcp[*flow.port];
  return flow.protocol == kUdp && settings.http_udp[*flow.port];
}

// Before any binding is looked at.
std::optional<Verdict> judge_address(const Query& query) {
  const bool has_kernel_path = query.kernel_path != nullptr;
  if (std::visit([](auto address) { return is_local_scope(address); }, query.destination))
    return has_kernel_path ? Verdict::kernel_local_scope : Verdict::drop_local_scope;
  const bool is_own =
      has_kernel_path && std::visit(
                             [&]<class Address>(Address address) {
                               return query.kernel_path->of<Address>().contains(address);
                             },
                             query.destination);
  return is_own ? std::optional(Verdict::kernel_host_address) : std::nullopt;
}

Verdict unmatched(const Settings& settings, bool has_kernel_path) {
  switch (settings.unmatched) {
    case Settings::Unknown::magic_transit:
      return Verdict::magic_transit_unmatched;
    case Settings::Unknown::kernel:
      if (has_kernel_path) return Verdict::kernel_unmatched;
      break;
    case Settings::Unknown::drop:
      break;
  }
  return Verdict::drop_unmatched;
}

Verdict egress(const Settings& settings, bool is_inside, bool has_kernel_path) {
  if (is_inside) return Verdict::magic_transit_egress_inside;
  switch (settings.egress_unknown) {
    case Settings::Unknown::magic_transit:
      return Verdict::magic_transit_egress_outside;
    case Settings::Unknown::kernel:
      if (has_kernel_path) return Verdict::kernel_egress_unknown;
      break;
    case Settings::Unknown::drop:
      break;
  }
  return Verdict::drop_egress_unknown;
}

Verdict ingress(const Settings& settings, Service service, const Flow& flow) {
  switch (service) {
    case Service::magic_transit:
      return Verdict::magic_transit_bound;
    case Service::cdn:
      if (settings.cdn_accept == Settings::CdnAccept::any || is_http(settings, flow))
        return Verdict::cdn_bound;
      break;
    case Service::spectrum:
      if (settings.spectrum_accept == Settings::SpectrumAccept::any || flow.protocol == kTcp ||
          flow.protocol == kUdp)
        return Verdict::spectrum_bound;
      break;
  }
  return Verdict::magic_transit_not_accepted;
}

}  // namespace

Explanation explain(const BindingSet& bindings, const Settings& settings, const Query& query) {
  const bool has_kernel_path = query.kernel_path != nullptr;
  const auto decided = judge_address(query);
  const bool is_local = decided && *decided != Verdict::kernel_host_address;
  // Nobody can bind what is local.
  if (is_local) return {.verdict = *decided};

  const Found found =
      std::visit([&](auto address) { return find(bindings, address); }, query.destination);
  Explanation explanation{.verdict = unmatched(settings, has_kernel_path),
                          .binding = found.binding,
                          .prefix = found.prefix};
  if (decided)
    explanation.verdict = *decided;
  else if (query.direction == dataplane::Direction::egress)
    explanation.verdict = egress(settings, found.prefix.has_value(), has_kernel_path);
  else if (found.binding)
    explanation.verdict = ingress(settings, found.binding->service, flow_of(query));
  return explanation;
}

}  // namespace control
