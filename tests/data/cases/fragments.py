# SPDX-License-Identifier: BSD-3-Clause
"""Fragments of both IP versions. A datagram's fragments all go the same way."""
from case import CDN4, CDN6, MT4, MT6, OUT4, OUT6, SPE4, SPE6, Case
from packets import (destination_options, eth4, eth6, fragment, hop_by_hop, icmp, icmp6, ip4, ip6, nested, raw,
                     routing, short, tcp, udp)


def datagram4(host, layer, what, any_, narrow):
    """First, middle and last fragment of one datagram: the bytes of later ones look like a header."""
    return [
        Case(f"first fragment: {what}", eth4(ip4(host, layer, more=True)), host, any_, narrow, "egress"),
        Case(f"middle fragment: {what}", eth4(ip4(host, layer, more=True, offset=185)), host, any_, narrow, "egress"),
        Case(f"last fragment: {what}", eth4(ip4(host, layer, offset=370)), host, any_, narrow, "egress"),
    ]


def datagram6(host, layer, what, any_, narrow):
    return [
        Case(f"first fragment: {what}", eth6(ip6(host, fragment(layer, more=True))), host, any_, narrow, "egress"),
        Case(f"middle fragment: {what}", eth6(ip6(host, fragment(layer, more=True, offset=181))), host, any_, narrow, "egress"),
        Case(f"last fragment: {what}", eth6(ip6(host, fragment(layer, offset=362))), host, any_, narrow, "egress"),
    ]


IPV4 = [
    *datagram4(CDN4, tcp(443), "TCP 443 to CDN", "cdn", "not_accepted"),
    *datagram4(CDN4, udp(443), "UDP 443 to CDN", "cdn", "not_accepted"),
    *datagram4(CDN4, tcp(22), "TCP 22 to CDN", "cdn", "not_accepted"),
    *datagram4(SPE4, tcp(22), "TCP to Spectrum", "spectrum", "spectrum"),
    *datagram4(SPE4, udp(53), "UDP to Spectrum", "spectrum", "spectrum"),
    *datagram4(SPE4, icmp(8, bytes(56)), "ICMP echo to Spectrum", "spectrum", "not_accepted"),
    *datagram4(SPE4, raw(47, bytes(24)), "GRE to Spectrum", "spectrum", "not_accepted"),
    *datagram4(MT4, udp(53), "UDP to Magic Transit", "magic_transit", "magic_transit"),
    *datagram4(OUT4, udp(53), "UDP to nobody", "unmatched", "unmatched"),
    Case("a first fragment of 8 bytes", eth4(ip4(CDN4, short(tcp(443), 8), more=True)), CDN4, "cdn", "not_accepted", "egress"),
    Case("offset 1, the trick of overlapping fragments", eth4(ip4(SPE4, tcp(22), offset=1)), SPE4, "spectrum", "spectrum", "egress"),
    Case("the highest offset", eth4(ip4(CDN4, tcp(443), offset=0x1FFF)), CDN4, "cdn", "not_accepted", "egress"),
    Case("do not fragment is no fragment", eth4(ip4(CDN4, tcp(443), flags=2)), CDN4, "cdn", "cdn", "egress"),
    Case("the reserved bit is no fragment", eth4(ip4(CDN4, tcp(443), flags=4)), CDN4, "cdn", "cdn", "egress"),
]

# The Next Header of the Fragment header is the same in all fragments, so it decides, though the
# first fragment could tell more.
IPV6 = [
    *datagram6(CDN6, tcp(443), "TCP 443 to CDN, IPv6", "cdn", "not_accepted"),
    *datagram6(CDN6, udp(443), "UDP 443 to CDN, IPv6", "cdn", "not_accepted"),
    *datagram6(SPE6, tcp(22), "TCP to Spectrum, IPv6", "spectrum", "spectrum"),
    *datagram6(SPE6, udp(53), "UDP to Spectrum, IPv6", "spectrum", "spectrum"),
    *datagram6(SPE6, icmp6(128, bytes(56)), "ICMPv6 echo to Spectrum", "spectrum", "not_accepted"),
    *datagram6(SPE6, destination_options(tcp(22)), "destination options, then TCP, to Spectrum", "spectrum", "not_accepted"),
    *datagram6(MT6, udp(53), "UDP to Magic Transit, IPv6", "magic_transit", "magic_transit"),
    *datagram6(OUT6, udp(53), "UDP to nobody, IPv6", "unmatched", "unmatched"),
    Case("hop-by-hop and routing header, then a middle fragment of TCP",
         eth6(ip6(SPE6, hop_by_hop(routing(fragment(tcp(22), more=True, offset=181))))), SPE6, "spectrum", "spectrum", "egress"),
    Case("seven headers, then a later fragment of UDP: the eighth",
         eth6(ip6(SPE6, nested(7, fragment(udp(53), offset=181)))), SPE6, "spectrum", "spectrum", "egress"),
    Case("eight headers, then a later fragment: the ninth",
         eth6(ip6(SPE6, nested(8, fragment(udp(53), offset=181)))), SPE6, "spectrum", "not_accepted", "egress"),
    Case("atomic fragment of TCP 443: a whole datagram", eth6(ip6(CDN6, fragment(tcp(443)))), CDN6, "cdn", "cdn", "egress"),
    Case("atomic fragment of UDP 443", eth6(ip6(CDN6, fragment(udp(443)))), CDN6, "cdn", "cdn", "egress"),
    Case("atomic fragment of TCP 22", eth6(ip6(CDN6, fragment(tcp(22)))), CDN6, "cdn", "not_accepted", "egress"),
    Case("atomic fragment of UDP to Spectrum", eth6(ip6(SPE6, fragment(udp(53)))), SPE6, "spectrum", "spectrum", "egress"),
    Case("atomic fragment, then destination options, then TCP 443: the chain goes on",
         eth6(ip6(CDN6, fragment(destination_options(tcp(443))))), CDN6, "cdn", "cdn", "egress"),
    Case("destination options, then an atomic fragment of TCP 443",
         eth6(ip6(CDN6, destination_options(fragment(tcp(443))))), CDN6, "cdn", "cdn", "egress"),
    Case("seven headers, then an atomic fragment: eight", eth6(ip6(CDN6, nested(7, fragment(tcp(443))))), CDN6, "cdn", "cdn", "egress"),
    Case("eight headers, then an atomic fragment: nine", eth6(ip6(CDN6, nested(8, fragment(tcp(443))))), CDN6, "cdn", "not_accepted", "egress"),
    Case("a Fragment header of 7 bytes", eth6(ip6(SPE6, short(fragment(tcp(22)), 7))), SPE6, "spectrum", "not_accepted", "egress"),
]

CASES = IPV4 + IPV6
