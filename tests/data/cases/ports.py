# SPDX-License-Identifier: BSD-3-Clause
"""What cdn-accept http and spectrum-accept tcp-udp take of whole datagrams."""
from case import CDN4, CDN6, MT4, MT6, SPE4, SPE6, Case, cases
from packets import Host, eth4, eth6, icmp, icmp6, ip4, ip6, like_udp, raw, tcp, udp

ECHO, ECHO6 = icmp(8, b"ping"), icmp6(128, b"ping")


def web(layer, what):
    return Case(f"{what} to CDN", eth4(ip4(CDN4, layer)), CDN4, "cdn", "cdn", "egress")


def not_web(layer, what):
    return Case(f"{what} to CDN", eth4(ip4(CDN4, layer)), CDN4, "cdn", "not_accepted", "egress")


HTTP = [
    web(tcp(80), "TCP 80"),
    web(tcp(8080), "TCP 8080"),
    web(tcp(8880), "TCP 8880"),
    web(tcp(2052), "TCP 2052"),
    web(tcp(2082), "TCP 2082"),
    web(tcp(2086), "TCP 2086"),
    web(tcp(2095), "TCP 2095"),
    web(tcp(443), "TCP 443"),
    web(tcp(2053), "TCP 2053"),
    web(tcp(2083), "TCP 2083"),
    web(tcp(2087), "TCP 2087"),
    web(tcp(2096), "TCP 2096"),
    web(tcp(8443), "TCP 8443"),
    web(udp(443), "UDP 443"),
]

NOT_HTTP = [
    not_web(tcp(0), "TCP 0"),
    not_web(tcp(22), "TCP 22"),
    not_web(tcp(81), "TCP 81"),
    not_web(tcp(442), "TCP 442"),
    not_web(tcp(444), "TCP 444"),
    not_web(tcp(2054), "TCP 2054"),
    not_web(tcp(8444), "TCP 8444"),
    not_web(tcp(65535), "TCP 65535"),
    not_web(tcp(0x5000), "TCP 80 in the wrong byte order"),
    not_web(tcp(0xBB01), "TCP 443 in the wrong byte order"),
    not_web(tcp(50000, sport=443), "TCP from (not to) 443"),
    not_web(udp(80), "UDP 80"),
    not_web(udp(8443), "UDP 8443"),
    not_web(udp(53), "UDP 53"),
    not_web(udp(50000, sport=443), "UDP from (not to) 443"),
    not_web(ECHO, "ICMP echo"),
    not_web(like_udp(132, 443), "SCTP 443"),
    not_web(like_udp(136, 443), "UDP-Lite 443"),
    not_web(like_udp(33, 443), "DCCP 443"),
    not_web(raw(47, bytes.fromhex("00000800") + ip4(CDN4, tcp(443))), "GRE around TCP 443"),
    not_web(raw(4, ip4(CDN4, tcp(443))), "IPv4 in IPv4 around TCP 443"),
    not_web(raw(41, ip6(CDN6, tcp(443))), "IPv6 in IPv4 around TCP 443"),
    not_web(raw(50, bytes(32)), "ESP"),
    not_web(raw(51, bytes.fromhex("0604") + bytes(22) + tcp(443).bytes), "AH in IPv4 (reading: only IPv6 headers are walked)"),
    not_web(raw(2, bytes(8)), "IGMP"),
]

SPECTRUM = cases(
    ("TCP 22 to Spectrum", eth4(ip4(SPE4, tcp(22))), SPE4, "spectrum", "spectrum", "egress"),
    ("TCP 443 to Spectrum", eth4(ip4(SPE4, tcp(443))), SPE4, "spectrum", "spectrum", "egress"),
    ("UDP 53 to Spectrum", eth4(ip4(SPE4, udp(53))), SPE4, "spectrum", "spectrum", "egress"),
    ("UDP 0 to Spectrum", eth4(ip4(SPE4, udp(0))), SPE4, "spectrum", "spectrum", "egress"),
    ("ICMP echo to Spectrum", eth4(ip4(SPE4, ECHO)), SPE4, "spectrum", "not_accepted", "egress"),
    ("SCTP to Spectrum", eth4(ip4(SPE4, like_udp(132, 22))), SPE4, "spectrum", "not_accepted", "egress"),
    ("UDP-Lite to Spectrum", eth4(ip4(SPE4, like_udp(136, 53))), SPE4, "spectrum", "not_accepted", "egress"),
    ("DCCP to Spectrum", eth4(ip4(SPE4, like_udp(33, 53))), SPE4, "spectrum", "not_accepted", "egress"),
    ("GRE around TCP to Spectrum", eth4(ip4(SPE4, raw(47, bytes.fromhex("00000800") + ip4(SPE4, tcp(22))))), SPE4, "spectrum", "not_accepted", "egress"),
    ("ESP to Spectrum", eth4(ip4(SPE4, raw(50, bytes(32)))), SPE4, "spectrum", "not_accepted", "egress"),
    ("AH in IPv4 to Spectrum", eth4(ip4(SPE4, raw(51, bytes.fromhex("0604") + bytes(22) + tcp(22).bytes))), SPE4, "spectrum", "not_accepted", "egress"),
)

# A service that does not accept a packet gives it to Magic Transit, not to the binding around its own.
NOT_THE_COVER = cases(
    ("TCP 22 to a CDN host inside Spectrum", eth4(ip4("203.0.113.84", tcp(22))), Host("203.0.113.84", "203.0.113.84/32"), "cdn", "not_accepted", "egress"),
    ("ICMP to Spectrum inside CDN", eth4(ip4("203.0.113.81", ECHO)), Host("203.0.113.81", "203.0.113.80/28"), "spectrum", "not_accepted", "egress"),
    ("TCP 22 to a CDN prefix", eth4(ip4("172.16.0.1", tcp(22))), Host("172.16.0.1", "172.16.0.0/12"), "cdn", "not_accepted", "egress"),
)

MAGIC_TRANSIT = cases(
    ("TCP 443 to Magic Transit", eth4(ip4(MT4, tcp(443))), MT4, "magic_transit", "magic_transit", "egress"),
    ("ICMP echo to Magic Transit", eth4(ip4(MT4, ECHO)), MT4, "magic_transit", "magic_transit", "egress"),
    ("GRE to Magic Transit", eth4(ip4(MT4, raw(47, bytes(4)))), MT4, "magic_transit", "magic_transit", "egress"),
    ("unknown protocol to Magic Transit", eth4(ip4(MT4, raw(253, bytes(4)))), MT4, "magic_transit", "magic_transit", "egress"),
)

IPV6 = cases(
    ("IPv6 TCP 443 to CDN", eth6(ip6(CDN6, tcp(443))), CDN6, "cdn", "cdn", "egress"),
    ("IPv6 TCP 2096 to CDN", eth6(ip6(CDN6, tcp(2096))), CDN6, "cdn", "cdn", "egress"),
    ("IPv6 UDP 443 to CDN", eth6(ip6(CDN6, udp(443))), CDN6, "cdn", "cdn", "egress"),
    ("IPv6 TCP 22 to CDN", eth6(ip6(CDN6, tcp(22))), CDN6, "cdn", "not_accepted", "egress"),
    ("IPv6 UDP 80 to CDN", eth6(ip6(CDN6, udp(80))), CDN6, "cdn", "not_accepted", "egress"),
    ("IPv6 echo to CDN", eth6(ip6(CDN6, ECHO6)), CDN6, "cdn", "not_accepted", "egress"),
    ("IPv6 TCP 22 to Spectrum", eth6(ip6(SPE6, tcp(22))), SPE6, "spectrum", "spectrum", "egress"),
    ("IPv6 UDP 53 to Spectrum", eth6(ip6(SPE6, udp(53))), SPE6, "spectrum", "spectrum", "egress"),
    ("IPv6 echo to Spectrum", eth6(ip6(SPE6, ECHO6)), SPE6, "spectrum", "not_accepted", "egress"),
    ("IPv4 in IPv6 to Spectrum", eth6(ip6(SPE6, raw(4, ip4(SPE4, tcp(22))))), SPE6, "spectrum", "not_accepted", "egress"),
    ("IPv6 echo to Magic Transit", eth6(ip6(MT6, ECHO6)), MT6, "magic_transit", "magic_transit", "egress"),
)

CASES = HTTP + NOT_HTTP + SPECTRUM + NOT_THE_COVER + MAGIC_TRANSIT + IPV6
