# SPDX-License-Identifier: BSD-3-Clause
"""The link layer: tags, other EtherTypes, runts."""
from case import CDN4, CDN6, MT4, OUT4, SPE4, SPE6, cases, dropped
from packets import IPV4, IPV6, MACS, eth4, eth6, frame, ip4, ip6, padded, tcp, udp

Q, AD = 0x8100, 0x88A8
WEB4 = ip4(CDN4, tcp(443))
SSH6 = ip6(SPE6, tcp(22))
DNS4 = ip4(MT4, udp(53))

TAGS = cases(
    ("untagged", eth4(WEB4), CDN4, "cdn", "cdn", "egress"),
    ("untagged IPv6", eth6(SSH6), SPE6, "spectrum", "spectrum", "egress"),
    ("802.1Q", eth4(WEB4, (Q, 100)), CDN4, "cdn", "cdn", "egress"),
    ("802.1Q, IPv6", eth6(SSH6, (Q, 100)), SPE6, "spectrum", "spectrum", "egress"),
    ("802.1Q, the highest VLAN, priority 7, drop eligible", eth4(WEB4, (Q, 0xFFFF)), CDN4, "cdn", "cdn", "egress"),
    ("priority tag (VLAN 0)", eth4(WEB4, (Q, 0xA000)), CDN4, "cdn", "cdn", "egress"),
    ("one 802.1ad tag", eth4(WEB4, (AD, 100)), CDN4, "cdn", "cdn", "egress"),
    ("802.1ad around 802.1Q", eth4(WEB4, (AD, 100), (Q, 200)), CDN4, "cdn", "cdn", "egress"),
    ("802.1ad around 802.1Q, IPv6", eth6(SSH6, (AD, 100), (Q, 200)), SPE6, "spectrum", "spectrum", "egress"),
    ("802.1Q around 802.1Q", eth4(WEB4, (Q, 100), (Q, 200)), CDN4, "cdn", "cdn", "egress"),
    ("802.1Q around 802.1ad", eth4(WEB4, (Q, 100), (AD, 200)), CDN4, "cdn", "cdn", "egress"),
    ("802.1ad around 802.1ad", eth4(WEB4, (AD, 100), (AD, 200)), CDN4, "cdn", "cdn", "egress"),
    ("priority tag around 802.1Q", eth4(WEB4, (Q, 0), (Q, 200)), CDN4, "cdn", "cdn", "egress"),
    ("tagged, nobody's address", eth4(ip4(OUT4, udp(53)), (Q, 100)), OUT4, "unmatched", "unmatched", "egress"),
    ("tagged, padded to 64 bytes", padded(eth4(DNS4, (Q, 100)), 64), MT4, "magic_transit", "magic_transit", "egress"),
    dropped("three 802.1Q tags", eth4(WEB4, (Q, 1), (Q, 2), (Q, 3)), "not_ip"),
    dropped("three tags, 802.1ad outside", eth4(WEB4, (AD, 1), (AD, 2), (Q, 3)), "not_ip"),
    dropped("four tags", eth6(SSH6, (Q, 1), (Q, 2), (Q, 3), (Q, 4)), "not_ip"),
    dropped("reading: a third tag is not looked into, even if it is cut short", frame(Q, b"", (Q, 1), (Q, 2)), "not_ip"),
    dropped("0x9100 is not a tag", eth4(WEB4, (0x9100, 100)), "not_ip"),
    dropped("0x9100 inside 802.1Q", eth4(WEB4, (Q, 100), (0x9100, 200)), "not_ip"),
)

OTHER_TYPES = cases(
    dropped("ARP", padded(frame(0x0806, bytes.fromhex("0001080006040001") + bytes(20))), "not_ip"),
    dropped("ARP in 802.1Q", padded(frame(0x0806, bytes.fromhex("0001080006040001") + bytes(20), (Q, 100))), "not_ip"),
    dropped("ARP without a body", frame(0x0806), "not_ip"),
    dropped("802.3 length and LLC (spanning tree)", padded(frame(38, bytes.fromhex("424203") + bytes(35))), "not_ip"),
    dropped("802.3 length, IPv4 in LLC/SNAP is not looked into",
            frame(8 + len(WEB4), bytes.fromhex("aaaa03000000") + IPV4.to_bytes(2, "big") + WEB4), "not_ip"),
    dropped("802.3 length in 802.1Q", padded(frame(38, bytes.fromhex("424203") + bytes(35), (Q, 100))), "not_ip"),
    dropped("802.3 length 0x05dc, the greatest", frame(1500, bytes(46)), "not_ip"),
    dropped("EtherType 0x0600, the smallest", frame(0x0600, bytes(46)), "not_ip"),
    dropped("MPLS around IPv4", frame(0x8847, bytes.fromhex("00064140") + WEB4), "not_ip"),
    dropped("MPLS multicast", frame(0x8848, bytes.fromhex("00064140") + WEB4), "not_ip"),
    dropped("PPPoE discovery", padded(frame(0x8863, bytes.fromhex("110900000004") + bytes.fromhex("01010000"))), "not_ip"),
    dropped("PPPoE session around IPv4", frame(0x8864, bytes.fromhex("11000001002a0021") + WEB4), "not_ip"),
    dropped("LLDP", padded(frame(0x88CC, bytes.fromhex("020704020005e000010403027631060200780000"))), "not_ip"),
    dropped("EtherType of IPv4 in the wrong byte order", frame(0x0008, WEB4), "not_ip"),
    dropped("EtherType 0xffff", frame(0xFFFF, WEB4), "not_ip"),
)

RUNTS = cases(
    dropped("runt of 0 bytes", b"", "malformed_ethernet"),
    dropped("runt of 1 byte", MACS[:1], "malformed_ethernet"),
    dropped("runt of 12 bytes: two addresses, no type", MACS, "malformed_ethernet"),
    dropped("runt of 13 bytes", eth4(b"")[:13], "malformed_ethernet"),
    dropped("14 bytes of IPv4: no IP header", frame(IPV4), "malformed_ip_truncated"),
    dropped("14 bytes of IPv6: no IP header", frame(IPV6), "malformed_ip_truncated"),
    dropped("14 bytes of something else", frame(0x88CC), "not_ip"),
    dropped("a tag of 0 bytes", frame(Q), "malformed_ethernet"),
    dropped("a tag of 1 byte", frame(Q, b"\0"), "malformed_ethernet"),
    dropped("a tag without the type behind it", frame(Q, b"\0\x64"), "malformed_ethernet"),
    dropped("a tag and half a type", frame(Q, b"\0\x64\x08"), "malformed_ethernet"),
    dropped("an 802.1ad tag cut short", frame(AD, b"\0\x64"), "malformed_ethernet"),
    dropped("the second tag cut short", frame(Q, b"\0\x64\x08", (AD, 100)), "malformed_ethernet"),
    dropped("tagged IPv4 without IP header", frame(IPV4, b"", (Q, 100)), "malformed_ip_truncated"),
    dropped("double-tagged IPv6 without IP header", frame(IPV6, b"", (AD, 100), (Q, 200)), "malformed_ip_truncated"),
    dropped("19 bytes of IPv4 header", eth4(WEB4[:19]), "malformed_ip_truncated"),
    dropped("19 bytes of IPv4 header in 802.1Q", eth4(WEB4[:19], (Q, 100)), "malformed_ip_truncated"),
    dropped("39 bytes of IPv6 header", eth6(SSH6[:39]), "malformed_ip_truncated"),
    dropped("1 byte of IPv6 header", eth6(SSH6[:1]), "malformed_ip_truncated"),
    ("a frame under 60 bytes is fine when its lengths are", eth6(ip6(CDN6)), CDN6, "cdn", "not_accepted", "egress"),
)

CASES = TAGS + OTHER_TYPES + RUNTS
