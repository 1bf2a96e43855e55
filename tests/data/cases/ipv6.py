# SPDX-License-Identifier: BSD-3-Clause
"""IPv6 lengths and chains of extension headers."""
from case import CDN6, MT6, OUT6, SPE6, Case, cases, dropped
from packets import (Host, authentication, cut, destination_options, eth6, extension, hop_by_hop, ip6, like_udp, nested,
                     padded, raw, routing, short, tcp, udp)

LENGTHS = cases(
    dropped("payload length one more than the frame has", eth6(ip6(CDN6, tcp(443), payload_length=21)), "malformed_ip_length"),
    dropped("payload length 65,535 in a small frame", eth6(ip6(CDN6, tcp(443), payload_length=65535)), "malformed_ip_length"),
    dropped("payload length beyond the frame, to a multicast address", eth6(ip6("ff02::1", udp(53), payload_length=99)), "malformed_ip_length"),
    dropped("payload length beyond the frame in 802.1Q: the tag is no payload", eth6(ip6(CDN6, tcp(443), payload_length=24), (0x8100, 100)), "malformed_ip_length"),
    dropped("payload length beyond a frame of a header alone", eth6(ip6(CDN6, raw(59), payload_length=1)), "malformed_ip_length"),
    ("padding behind the packet", eth6(ip6(CDN6, tcp(443))) + bytes(4), CDN6, "cdn", "cdn", "egress"),
    ("payload length 0 and no payload", eth6(ip6(MT6)), MT6, "magic_transit", "magic_transit", "egress"),
    ("payload length 0 and no payload, padded", padded(eth6(ip6(SPE6))), SPE6, "spectrum", "not_accepted", "egress"),
    ("padding is no payload: TCP of 0 bytes to CDN", eth6(ip6(CDN6, tcp(443), payload_length=0)), CDN6, "cdn", "not_accepted", "egress"),
    ("TCP of 0 bytes to Spectrum: the protocol is enough", padded(eth6(ip6(SPE6, raw(6)))), SPE6, "spectrum", "spectrum", "egress"),
    ("padding is no payload: TCP of 3 bytes", eth6(ip6(CDN6, tcp(443), payload_length=3)), CDN6, "cdn", "not_accepted", "egress"),
    ("reading: TCP of 4 bytes has its port", eth6(ip6(CDN6, short(tcp(443), 4))), CDN6, "cdn", "cdn", "egress"),
)


def cdn(what, layer, narrow):
    return Case(f"{what} (CDN)", eth6(ip6(CDN6, layer)), CDN6, "cdn", narrow, "egress")


def spectrum(what, layer, narrow):
    return Case(f"{what} (Spectrum)", eth6(ip6(SPE6, layer)), SPE6, "spectrum", narrow, "egress")


CHAINS = [
    cdn("hop-by-hop options, TCP 443", hop_by_hop(tcp(443)), "cdn"),
    cdn("hop-by-hop options, TCP 22", hop_by_hop(tcp(22)), "not_accepted"),
    cdn("routing header, TCP 443", routing(tcp(443)), "cdn"),
    cdn("destination options, TCP 443", destination_options(tcp(443)), "cdn"),
    cdn("destination options, UDP 443", destination_options(udp(443)), "cdn"),
    cdn("AH, TCP 443: its length counts words of four bytes", authentication(tcp(443)), "cdn"),
    cdn("AH, TCP 22", authentication(tcp(22)), "not_accepted"),
    cdn("the order of RFC 8200, TCP 443", hop_by_hop(destination_options(routing(authentication(destination_options(tcp(443)))))), "cdn"),
    cdn("options of 264 bytes, TCP 443", extension(60, tcp(443), bytes.fromhex("01ff") + bytes(255) + bytes.fromhex("0103") + bytes(3)), "cdn"),
    spectrum("hop-by-hop options, UDP", hop_by_hop(udp(53)), "spectrum"),
    spectrum("routing header, TCP", routing(tcp(22)), "spectrum"),
    spectrum("AH, UDP", authentication(udp(53)), "spectrum"),
    cdn("eight headers, TCP 443", nested(8, tcp(443)), "cdn"),
    cdn("eight headers, TCP 22", nested(8, tcp(22)), "not_accepted"),
    cdn("nine headers, TCP 443", nested(9, tcp(443)), "not_accepted"),
    spectrum("eight headers, UDP", nested(8, udp(53)), "spectrum"),
    spectrum("nine headers, UDP", nested(9, udp(53)), "not_accepted"),
    spectrum("eight headers, then nothing", nested(8, raw(59)), "not_accepted"),
    Case("nine headers to Magic Transit", eth6(ip6(MT6, nested(9, tcp(443)))), MT6, "magic_transit", "magic_transit", "egress"),
    Case("nine headers to nobody", eth6(ip6(OUT6, nested(9, tcp(443)))), OUT6, "unmatched", "unmatched", "egress"),
    dropped("nine headers to a multicast address", eth6(ip6("ff02::1", nested(9, tcp(443)))), "local_scope", Host("ff02::1", "-")),
]

OTHER_PROTOCOLS = [
    cdn("ESP", raw(50, bytes(32)), "not_accepted"),
    spectrum("ESP", raw(50, bytes(32)), "not_accepted"),
    spectrum("ESP behind destination options", destination_options(raw(50, bytes(32))), "not_accepted"),
    spectrum("no next header", raw(59), "not_accepted"),
    spectrum("no next header, TCP behind it", raw(59, tcp(22).bytes), "not_accepted"),
    spectrum("no next header behind destination options", destination_options(raw(59)), "not_accepted"),
    spectrum("GRE", raw(47, bytes.fromhex("000086dd") + ip6(SPE6, tcp(22))), "not_accepted"),
    spectrum("SCTP", like_udp(132, 22), "not_accepted"),
    cdn("SCTP 443 behind destination options", destination_options(like_udp(132, 443)), "not_accepted"),
    spectrum("IPv6 in IPv6", raw(41, ip6(SPE6, tcp(22))), "not_accepted"),
    spectrum("mobility header is not walked", extension(135, tcp(22)), "not_accepted"),
    spectrum("HIP is not walked", extension(139, tcp(22)), "not_accepted"),
    spectrum("protocol 253", raw(253, tcp(22).bytes), "not_accepted"),
]

LONG_OPTIONS = extension(60, tcp(443), bytes.fromhex("010c") + bytes(12))  # 16 bytes

TRUNCATED = [
    spectrum("destination options announced, no byte there", raw(60), "not_accepted"),
    spectrum("destination options of 1 byte", short(destination_options(tcp(22)), 1), "not_accepted"),
    spectrum("destination options of 7 of 8 bytes", short(destination_options(tcp(22)), 7), "not_accepted"),
    spectrum("destination options of 15 of 16 bytes", short(LONG_OPTIONS, 15), "not_accepted"),
    spectrum("destination options said to be 2,048 bytes", raw(60, bytes([6, 255]) + bytes(40)), "not_accepted"),
    spectrum("AH of 23 of 24 bytes", short(authentication(tcp(22)), 23), "not_accepted"),
    spectrum("AH said to be 1,028 bytes", raw(51, bytes([6, 255]) + bytes(40)), "not_accepted"),
    spectrum("the second of two headers is missing", destination_options(raw(43)), "not_accepted"),
    spectrum("TCP announced behind the options, no byte there: the protocol is known", destination_options(raw(6)), "spectrum"),
    cdn("TCP announced behind the options, no byte there", destination_options(raw(6)), "not_accepted"),
    Case("the header goes on behind the packet, in the padding", eth6(ip6(SPE6, LONG_OPTIONS, payload_length=12)), SPE6, "spectrum", "not_accepted", "egress"),
    Case("cut by the snap length inside an extension header", cut(eth6(ip6(SPE6, LONG_OPTIONS)), 14 + 40 + 15), SPE6, "spectrum", "not_accepted", "egress"),
    Case("cut by the snap length behind an extension header", cut(eth6(ip6(SPE6, LONG_OPTIONS)), 14 + 40 + 16), SPE6, "spectrum", "spectrum", "egress"),
    Case("cut by the snap length in front of an extension header", cut(eth6(ip6(SPE6, LONG_OPTIONS)), 14 + 40), SPE6, "spectrum", "not_accepted", "egress"),
    Case("truncated chain to Magic Transit", eth6(ip6(MT6, raw(60))), MT6, "magic_transit", "magic_transit", "egress"),
]

CASES = LENGTHS + CHAINS + OTHER_PROTOCOLS + TRUNCATED
