# SPDX-License-Identifier: BSD-3-Clause
"""The IPv4 header checksum, judged only with verify-checksum on, after malformed and before the rest."""
from case import CDN4, CDN6, MT4, OUT4, SPE4, Case, cases, dropped
from packets import Host, cut, eth4, eth6, icmp, ip4, ip6, tcp, udp


def wrong(what, packet, host, any_, narrow, egress):
    return Case(f"wrong: {what}", packet, host, any_, narrow, egress, checksum="ip_checksum")


# With this identification the right checksum of the header below is 0x0000 (shown by tcpdump -v).
ZERO = 0x7C81
MULTICAST = Host("224.0.0.1", "-")

CASES = cases(
    ("right", eth4(ip4(CDN4, tcp(443))), CDN4, "cdn", "cdn", "egress"),
    ("right, with options", eth4(ip4(CDN4, tcp(443), options=bytes.fromhex("94040000"))), CDN4, "cdn", "cdn", "egress"),
    ("right, with 40 bytes of options", eth4(ip4(SPE4, udp(53), options=bytes.fromhex("01020304") * 10)), SPE4, "spectrum", "spectrum", "egress"),
    ("right, and zero", eth4(ip4(CDN4, tcp(443), identification=ZERO)), CDN4, "cdn", "cdn", "egress"),
    ("0xffff for 0x0000: the same number in RFC 1071", eth4(ip4(CDN4, tcp(443), identification=ZERO, checksum=0xFFFF)), CDN4, "cdn", "cdn", "egress"),
    ("right, behind a tag", eth4(ip4(CDN4, tcp(443)), (0x8100, 100)), CDN4, "cdn", "cdn", "egress"),
    ("right, the payload cut by the snap length", cut(eth4(ip4(SPE4, tcp(22))), 34), SPE4, "spectrum", "spectrum", "egress"),
    wrong("left zero by an offload", eth4(ip4(CDN4, tcp(443), checksum=0)), CDN4, "cdn", "cdn", "egress"),
    wrong("0xffff", eth4(ip4(CDN4, tcp(443), checksum=0xFFFF)), CDN4, "cdn", "cdn", "egress"),
    wrong("a port off the list", eth4(ip4(CDN4, tcp(22), checksum=1)), CDN4, "cdn", "not_accepted", "egress"),
    wrong("to Spectrum", eth4(ip4(SPE4, udp(53), checksum=1)), SPE4, "spectrum", "spectrum", "egress"),
    wrong("to Magic Transit", eth4(ip4(MT4, udp(53), checksum=1)), MT4, "magic_transit", "magic_transit", "egress"),
    wrong("behind two tags", eth4(ip4(CDN4, tcp(443), checksum=1), (0x88A8, 1), (0x8100, 2)), CDN4, "cdn", "cdn", "egress"),
    wrong("a fragment", eth4(ip4(SPE4, udp(53), checksum=1, offset=8)), SPE4, "spectrum", "spectrum", "egress"),
    wrong("the payload cut by the snap length", cut(eth4(ip4(SPE4, tcp(22), checksum=1)), 34), SPE4, "spectrum", "spectrum", "egress"),
    wrong("right but for the last byte of its options", eth4(ip4(CDN4, tcp(443), options=b"\1\1\1\1", checksum=0x797B)), CDN4, "cdn", "cdn", "egress"),
    wrong("to nobody; reading: the checksum comes before the lookup", eth4(ip4(OUT4, udp(53), checksum=1)), OUT4, "unmatched", "unmatched", "egress"),
    wrong("to a multicast address; reading: the checksum comes before the scope", eth4(ip4(MULTICAST, udp(53), checksum=1)), MULTICAST, "local_scope", "local_scope", "local_scope"),
    dropped("wrong, and the total length beyond the frame: malformed comes first", eth4(ip4(CDN4, tcp(443), checksum=1, total=41)), "malformed_ip_length"),
    ("wrong only in what an ICMP error quotes", eth4(ip4(CDN4, icmp(3, ip4("192.0.2.77", tcp(50000, sport=443), src=CDN4, checksum=1)))), CDN4, "cdn", "cdn", "egress"),
    ("IPv6 has none", eth6(ip6(CDN6, tcp(443))), CDN6, "cdn", "cdn", "egress"),
)
