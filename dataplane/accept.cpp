// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/accept.hpp"

#include <optional>

namespace dataplane {
namespace {

constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;

// The protocol and port that a packet is judged by: its own, or, of an ICMP error, those of the
// flow that it quotes, whose source is the destination of the error.
struct Judged {
  std::uint8_t protocol;
  std::optional<std::uint16_t> port;
};

std::optional<Judged> judged(const Transport& transport) noexcept {
  if (transport.kind == Transport::Kind::unknown) return std::nullopt;
  if (!transport.is_icmp_error) return Judged{transport.protocol, transport.destination_port};
  if (!transport.quoted) return std::nullopt;
  return Judged{transport.quoted->protocol, transport.quoted->source_port};
}

bool is_http(const Settings& settings, const Judged& flow) noexcept {
  if (!flow.port) return false;
  if (flow.protocol == kTcp) return settings.http_tcp[*flow.port];
  return flow.protocol == kUdp && settings.http_udp[*flow.port];
}

}  // namespace

bool accepts(const Settings& settings, Service service, const Transport& transport) noexcept {
  const bool cdn_takes_http =
      service == Service::cdn && settings.cdn_accept == Settings::CdnAccept::http;
  const bool spectrum_takes_tcp_udp =
      service == Service::spectrum && settings.spectrum_accept == Settings::SpectrumAccept::tcp_udp;
  if (!cdn_takes_http && !spectrum_takes_tcp_udp) return true;
  const std::optional<Judged> flow = judged(transport);
  if (!flow) return false;
  // Fragments have no port here, so that HTTP never takes one and the protocol decides for the
  // rest.
  if (cdn_takes_http) return is_http(settings, *flow);
  return flow->protocol == kTcp || flow->protocol == kUdp;
}

bool accepts_datagram(const Settings& settings, Service service, std::uint8_t protocol,
                      std::uint16_t port) noexcept {
  if (service != Service::cdn || settings.cdn_accept != Settings::CdnAccept::http) return true;
  return (protocol == kTcp ? settings.http_tcp : settings.http_udp)[port];
}

}  // namespace dataplane
