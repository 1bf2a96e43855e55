# SPDX-License-Identifier: BSD-3-Clause
"""Records cut by a snap length: judged by the length on the wire, steered if the IP header is there."""
from case import CDN4, CDN6, MT4, OUT4, SPE4, SPE6, cases, dropped
from packets import Host, cut, eth4, eth6, frame, ip4, ip6, raw, tcp, udp

WEB4 = eth4(ip4(CDN4, tcp(443)))
WEB6 = eth6(ip6(CDN6, tcp(443)))
TAGGED = eth4(ip4(CDN4, tcp(443)), (0x8100, 100))
OPTIONS = eth4(ip4(CDN4, tcp(443), options=b"\1\1\1\0"))
LARGE = eth4(ip4(SPE4, udp(53, data=bytes(1472))))
BEYOND = eth4(ip4(SPE4, udp(53, data=bytes(1472)), total=1501))

CASES = cases(
    ("nothing cut", cut(WEB4, len(WEB4)), CDN4, "cdn", "cdn", "egress"),
    ("cut behind the TCP ports", cut(WEB4, 14 + 20 + 4), CDN4, "cdn", "cdn", "egress"),
    ("cut inside the destination port", cut(WEB4, 14 + 20 + 3), CDN4, "cdn", "not_accepted", "egress"),
    ("cut behind the source port", cut(WEB4, 14 + 20 + 2), CDN4, "cdn", "not_accepted", "egress"),
    ("cut behind the IPv4 header", cut(WEB4, 14 + 20), CDN4, "cdn", "not_accepted", "egress"),
    dropped("cut inside the IPv4 header", cut(WEB4, 14 + 19), "malformed_ip_truncated"),
    dropped("cut inside the IPv4 header, in front of the destination", cut(WEB4, 14 + 16), "malformed_ip_truncated"),
    dropped("cut behind the first byte of IPv4", cut(WEB4, 14 + 1), "malformed_ip_truncated"),
    dropped("cut in front of the IPv4 header", cut(WEB4, 14), "malformed_ip_truncated"),
    dropped("reading: cut inside the Ethernet header", cut(WEB4, 13), "malformed_ethernet"),
    dropped("reading: nothing of it captured", cut(WEB4, 0), "malformed_ethernet"),
    ("cut behind the IPv4 options", cut(OPTIONS, 14 + 24), CDN4, "cdn", "not_accepted", "egress"),
    dropped("cut inside the IPv4 options: the header is not whole", cut(OPTIONS, 14 + 20), "malformed_ip_truncated"),
    ("cut behind the IPv4 header, tagged", cut(TAGGED, 18 + 20), CDN4, "cdn", "not_accepted", "egress"),
    dropped("cut inside the IPv4 header, tagged", cut(TAGGED, 14 + 20), "malformed_ip_truncated"),
    dropped("cut behind the tag", cut(TAGGED, 18), "malformed_ip_truncated"),
    dropped("reading: cut inside the tag", cut(TAGGED, 16), "malformed_ethernet"),
    ("cut behind the TCP ports, IPv6", cut(WEB6, 14 + 40 + 4), CDN6, "cdn", "cdn", "egress"),
    ("cut inside the destination port, IPv6", cut(WEB6, 14 + 40 + 3), CDN6, "cdn", "not_accepted", "egress"),
    ("cut behind the IPv6 header", cut(WEB6, 14 + 40), CDN6, "cdn", "not_accepted", "egress"),
    dropped("cut inside the IPv6 header", cut(WEB6, 14 + 39), "malformed_ip_truncated"),
    dropped("cut in front of the IPv6 header", cut(WEB6, 14), "malformed_ip_truncated"),
    ("1,514 bytes cut to 64", cut(LARGE, 64), SPE4, "spectrum", "spectrum", "egress"),
    ("1,514 bytes cut behind the IPv4 header: the protocol is enough", cut(LARGE, 34), SPE4, "spectrum", "spectrum", "egress"),
    dropped("cut to 64 bytes, total length one more than the wire had", cut(BEYOND, 64), "malformed_ip_length"),
    ("cut behind the IPv6 header, to Spectrum", cut(eth6(ip6(SPE6, udp(53))), 54), SPE6, "spectrum", "spectrum", "egress"),
    dropped("cut to 64 bytes, payload length one more than the wire had", cut(eth6(ip6(SPE6, udp(53, data=bytes(100)), payload_length=109)), 64), "malformed_ip_length"),
    ("cut, to Magic Transit", cut(eth4(ip4(MT4, raw(47, bytes(100)))), 34), MT4, "magic_transit", "magic_transit", "egress"),
    ("cut, to nobody", cut(eth4(ip4(OUT4, udp(53))), 34), OUT4, "unmatched", "unmatched", "egress"),
    ("cut fragment", cut(eth4(ip4(SPE4, udp(53), more=True)), 34), SPE4, "spectrum", "spectrum", "egress"),
    dropped("cut, to a multicast address", cut(eth4(ip4("224.0.0.251", udp(5353))), 34), "local_scope", Host("224.0.0.251", "-")),
    dropped("cut ARP", cut(frame(0x0806, bytes(28)), 14), "not_ip"),
)
