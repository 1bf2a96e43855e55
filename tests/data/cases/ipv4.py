# SPDX-License-Identifier: BSD-3-Clause
"""The IPv4 header: options, lengths, version, padding."""
from case import CDN4, MT4, OUT4, SPE4, cases, dropped
from packets import eth4, eth6, frame, icmp, ip4, ip6, padded, raw, short, tcp, udp

NOPS4 = bytes([1, 1, 1, 0])
ROUTER_ALERT = bytes.fromhex("94040000")

HEADERS = cases(
    ("no options", eth4(ip4(CDN4, tcp(443))), CDN4, "cdn", "cdn", "egress"),
    ("4 bytes of options", eth4(ip4(CDN4, tcp(443), options=ROUTER_ALERT)), CDN4, "cdn", "cdn", "egress"),
    ("4 bytes of options: a port off the list is found behind them", eth4(ip4(CDN4, tcp(22), options=ROUTER_ALERT)), CDN4, "cdn", "not_accepted", "egress"),
    ("40 bytes of options, IHL 15", eth4(ip4(CDN4, tcp(8443), options=NOPS4 * 10)), CDN4, "cdn", "cdn", "egress"),
    ("options that spell a TCP header with port 443 are not one",
     eth4(ip4(CDN4, tcp(22), options=bytes.fromhex("c35001bb") * 2)), CDN4, "cdn", "not_accepted", "egress"),
    ("40 bytes of options and no payload", eth4(ip4(SPE4, raw(6), options=NOPS4 * 10)), SPE4, "spectrum", "spectrum", "egress"),
    ("20 bytes: a header and nothing else", padded(eth4(ip4(SPE4, raw(17)))), SPE4, "spectrum", "spectrum", "egress"),
    ("20 bytes in a frame of 34", eth4(ip4(MT4, raw(17))), MT4, "magic_transit", "magic_transit", "egress"),
    ("protocol 0 is no hop-by-hop header here", eth4(ip4(SPE4, raw(0, tcp(22).bytes))), SPE4, "spectrum", "not_accepted", "egress"),
    ("protocol 255", eth4(ip4(SPE4, raw(255, tcp(22).bytes))), SPE4, "spectrum", "not_accepted", "egress"),
)

LENGTHS = cases(
    dropped("IHL 0", eth4(ip4(CDN4, tcp(443), ihl=0)), "malformed_ip_header_length"),
    dropped("IHL 4", eth4(ip4(CDN4, tcp(443), ihl=4)), "malformed_ip_header_length"),
    dropped("IHL 4 to a multicast address: malformed comes first", eth4(ip4("224.0.0.1", udp(5353), ihl=4)), "malformed_ip_header_length"),
    dropped("reading: IHL 15 in a packet and a frame of 28 bytes", eth4(ip4(CDN4, raw(17, bytes(8)), ihl=15)), "malformed_ip_header_length"),
    dropped("reading: IHL 10 in a packet of 28 bytes, padding behind it", padded(eth4(ip4(CDN4, raw(17, bytes(8)), ihl=10))), "malformed_ip_header_length"),
    dropped("total length 0, also where segmentation offload left it", eth4(ip4(CDN4, tcp(443), total=0)), "malformed_ip_length"),
    dropped("total length 1", eth4(ip4(CDN4, tcp(443), total=1)), "malformed_ip_length"),
    dropped("reading: total length 19 is no fault of IHL 5", eth4(ip4(CDN4, tcp(443), total=19)), "malformed_ip_length"),
    dropped("total length one more than the frame has", eth4(ip4(CDN4, tcp(443), total=41)), "malformed_ip_length"),
    dropped("total length 65,535 in a small frame", eth4(ip4(CDN4, tcp(443), total=65535)), "malformed_ip_length"),
    dropped("total length beyond the frame in 802.1Q: the tag is no payload", eth4(ip4(CDN4, tcp(443), total=44), (0x8100, 100)), "malformed_ip_length"),
    dropped("total length beyond the frame, nobody's address", eth4(ip4(OUT4, tcp(443), total=41)), "malformed_ip_length"),
    dropped("total length beyond the frame, a fragment", eth4(ip4(CDN4, tcp(443), total=41, more=True)), "malformed_ip_length"),
    ("total length 20 with more behind it: IHL 5 fits", eth4(ip4(CDN4, tcp(443), total=20)), CDN4, "cdn", "not_accepted", "egress"),
    ("an Ethernet check sequence left behind the packet", eth4(ip4(CDN4, tcp(443))) + bytes(4), CDN4, "cdn", "cdn", "egress"),
)

VERSIONS = cases(
    dropped("version 6 in an IPv4 frame", eth4(ip4(CDN4, tcp(443), version=6)), "malformed_ip_version"),
    dropped("an IPv6 packet in an IPv4 frame", frame(0x0800, ip6("2001:db8:113::1", tcp(443))), "malformed_ip_version"),
    dropped("version 0", eth4(ip4(CDN4, tcp(443), version=0)), "malformed_ip_version"),
    dropped("version 5", eth4(ip4(CDN4, tcp(443), version=5)), "malformed_ip_version"),
    dropped("version 15", eth4(ip4(CDN4, tcp(443), version=15)), "malformed_ip_version"),
    dropped("version 4 in an IPv6 frame", eth6(ip6("2001:db8:113::1", tcp(443), version=4)), "malformed_ip_version"),
    dropped("an IPv4 packet in an IPv6 frame", eth6(ip4(CDN4, udp(53, data=bytes(40)))), "malformed_ip_version"),
    dropped("version 0 in an IPv6 frame", eth6(ip6("2001:db8:113::1", tcp(443), version=0)), "malformed_ip_version"),
)

# Padding that reads 01 bb 01 bb ...: port 443 to whoever believes it.
PORTS_AS_PADDING = bytes.fromhex("01bb") * 30

PADDING = cases(
    ("padded to 60 bytes", padded(eth4(ip4(CDN4, udp(443, data=b"")))), CDN4, "cdn", "cdn", "egress"),
    ("padding is no payload: TCP of 0 bytes", (eth4(ip4(CDN4, raw(6))) + PORTS_AS_PADDING)[:60], CDN4, "cdn", "not_accepted", "egress"),
    ("padding is no payload: TCP of 3 bytes", (eth4(ip4(CDN4, short(tcp(443), 3))) + PORTS_AS_PADDING)[:60], CDN4, "cdn", "not_accepted", "egress"),
    ("reading: TCP of 4 bytes has its port", padded(eth4(ip4(CDN4, short(tcp(443), 4)))), CDN4, "cdn", "cdn", "egress"),
    ("TCP of 2 bytes, source port 443", (eth4(ip4(CDN4, short(tcp(50000, sport=443), 2))) + PORTS_AS_PADDING)[:60], CDN4, "cdn", "not_accepted", "egress"),
    ("UDP of 3 bytes", padded(eth4(ip4(CDN4, short(udp(443), 3)))), CDN4, "cdn", "not_accepted", "egress"),
    ("TCP of 3 bytes to Spectrum: the protocol is enough", padded(eth4(ip4(SPE4, short(tcp(22), 3)))), SPE4, "spectrum", "spectrum", "egress"),
    ("UDP of 0 bytes to Spectrum", padded(eth4(ip4(SPE4, raw(17)))), SPE4, "spectrum", "spectrum", "egress"),
    ("padding is no payload: an ICMP error without its quote",
     eth4(ip4(CDN4, icmp(3))) + ip4("192.0.2.77", tcp(50000, sport=443), src=CDN4), CDN4, "cdn", "not_accepted", "egress"),
)

CASES = HEADERS + LENGTHS + VERSIONS + PADDING
