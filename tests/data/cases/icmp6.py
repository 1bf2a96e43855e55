# SPDX-License-Identifier: BSD-3-Clause
"""ICMPv6 errors, extension headers inside their quotes, neighbour discovery without a kernel path."""
from case import CDN6, MT6, OUT6, SPE6, Case, cases, dropped
from packets import (CLIENT6, Host, authentication, cut, destination_options, eth6, fragment, hop_by_hop, icmp, icmp6,
                     ip4, ip6, nested, raw, routing, short, tcp, udp)

HEADER, SOURCE_PORT = 40, 2
FROM_443, FROM_22 = tcp(50000, sport=443), tcp(50000, sport=22)


def sent_by(host, layer, **header):
    return ip6(CLIENT6, layer, src=host, **header)


def to_cdn(what, kind, quote, narrow):
    return Case(what, eth6(ip6(CDN6, icmp6(kind, quote))), CDN6, "cdn", narrow, "egress")


def to_spectrum(what, kind, quote, narrow):
    return Case(what, eth6(ip6(SPE6, icmp6(kind, quote))), SPE6, "spectrum", narrow, "egress")


def around(what, layer, narrow):
    """An error in a chain of its own."""
    return Case(what, eth6(ip6(CDN6, layer)), CDN6, "cdn", narrow, "egress")


TYPES = [
    to_cdn("unreachable, quotes TCP from 443", 1, sent_by(CDN6, FROM_443), "cdn"),
    to_cdn("unreachable, quotes TCP from 22", 1, sent_by(CDN6, FROM_22), "not_accepted"),
    to_cdn("packet too big, quotes TCP from 443", 2, sent_by(CDN6, FROM_443), "cdn"),
    to_cdn("packet too big, quotes TCP from 22", 2, sent_by(CDN6, FROM_22), "not_accepted"),
    to_cdn("time exceeded, quotes TCP from 443", 3, sent_by(CDN6, FROM_443), "cdn"),
    to_cdn("time exceeded, quotes TCP from 22", 3, sent_by(CDN6, FROM_22), "not_accepted"),
    to_cdn("parameter problem, quotes TCP from 443", 4, sent_by(CDN6, FROM_443), "cdn"),
    to_cdn("parameter problem, quotes TCP from 22", 4, sent_by(CDN6, FROM_22), "not_accepted"),
    to_cdn("packet too big, quotes UDP from 443", 2, sent_by(CDN6, udp(50000, sport=443)), "cdn"),
    to_cdn("packet too big, quotes UDP from 80", 2, sent_by(CDN6, udp(50000, sport=80)), "not_accepted"),
    to_cdn("type 0 is not one of the errors", 0, sent_by(CDN6, FROM_443), "not_accepted"),
    to_cdn("type 5 is not one of the errors", 5, sent_by(CDN6, FROM_443), "not_accepted"),
    to_cdn("type 100 is not one of the errors", 100, sent_by(CDN6, FROM_443), "not_accepted"),
    to_cdn("echo request", 128, b"ping", "not_accepted"),
    to_cdn("echo reply whose data looks like a quote", 129, sent_by(CDN6, FROM_443), "not_accepted"),
    around("ICMP numbers in IPv6 are no ICMPv6 error", icmp(3, sent_by(CDN6, FROM_443)), "not_accepted"),
]

TOO_BIG = sent_by(CDN6, FROM_443)
QUOTES = [
    to_cdn("quote that ends behind the source port", 2, TOO_BIG[:HEADER + SOURCE_PORT], "cdn"),
    to_cdn("quote that ends inside the source port", 2, TOO_BIG[:HEADER + 1], "not_accepted"),
    to_cdn("quote of the IP header alone", 2, TOO_BIG[:HEADER], "not_accepted"),
    to_cdn("quote that ends inside the IP header", 2, TOO_BIG[:HEADER - 1], "not_accepted"),
    to_cdn("no quote", 2, b"", "not_accepted"),
    to_cdn("quote from another address", 2, sent_by(SPE6, FROM_443), "not_accepted"),
    to_cdn("quote from an address with the same first half", 2, sent_by(MT6, FROM_443), "not_accepted"),
    to_cdn("quote of a packet to the host, not from it", 2, ip6(CDN6, tcp(443, sport=443)), "not_accepted"),
    to_cdn("reading: quote of IPv4 in ICMPv6 is no quote", 2, ip4("192.0.2.1", FROM_443) + bytes(40), "not_accepted"),
    to_cdn("quote of an echo reply", 2, sent_by(CDN6, icmp6(129, b"pong")), "not_accepted"),
    to_cdn("quote of an error that quotes port 443", 3, sent_by(CDN6, icmp6(1, TOO_BIG)), "not_accepted"),
    to_cdn("quote of SCTP from 443", 2, sent_by(CDN6, raw(132, FROM_443.bytes)), "not_accepted"),
    to_cdn("quote with hop-by-hop options, TCP from 443", 2, sent_by(CDN6, hop_by_hop(FROM_443)), "cdn"),
    to_cdn("quote with hop-by-hop options, TCP from 22", 2, sent_by(CDN6, hop_by_hop(FROM_22)), "not_accepted"),
    to_cdn("quote with routing header", 2, sent_by(CDN6, routing(FROM_443)), "cdn"),
    to_cdn("quote with destination options", 2, sent_by(CDN6, destination_options(FROM_443)), "cdn"),
    to_cdn("quote with AH", 2, sent_by(CDN6, authentication(FROM_443)), "cdn"),
    to_cdn("quote with an atomic fragment", 2, sent_by(CDN6, fragment(FROM_443)), "cdn"),
    to_cdn("quote with three kinds", 2, sent_by(CDN6, hop_by_hop(routing(fragment(FROM_443)))), "cdn"),
    to_cdn("quote with eight headers", 2, sent_by(CDN6, nested(8, FROM_443)), "cdn"),
    to_cdn("quote with nine headers", 2, sent_by(CDN6, nested(9, FROM_443)), "not_accepted"),
    to_cdn("quote that ends inside an extension header", 2, sent_by(CDN6, routing(FROM_443))[:HEADER + 23], "not_accepted"),
    to_cdn("quote that ends behind an extension header", 2, sent_by(CDN6, routing(FROM_443))[:HEADER + 24], "not_accepted"),
    to_cdn("reading: quote of a first fragment has its port", 2, sent_by(CDN6, fragment(FROM_443, more=True)), "cdn"),
    to_cdn("quote of a later fragment: no port, whatever its bytes", 2, sent_by(CDN6, fragment(FROM_443, offset=181)), "not_accepted"),
    to_cdn("quote whose payload length says more than is quoted", 2, sent_by(CDN6, FROM_443, payload_length=1400), "cdn"),
]

OUTER = [
    around("destination options, then an error", destination_options(icmp6(2, TOO_BIG)), "cdn"),
    around("hop-by-hop options, then an error", hop_by_hop(icmp6(2, TOO_BIG)), "cdn"),
    around("atomic fragment of an error", fragment(icmp6(2, TOO_BIG)), "cdn"),
    around("first fragment of an error", fragment(icmp6(2, TOO_BIG), more=True), "not_accepted"),
    around("later fragment of an error", fragment(icmp6(2, TOO_BIG), offset=1), "not_accepted"),
    around("eight headers around an error whose quote has eight", nested(8, icmp6(2, sent_by(CDN6, nested(8, FROM_443)))), "cdn"),
    around("nine headers around an error", nested(9, icmp6(2, TOO_BIG)), "not_accepted"),
    around("ICMPv6 of one byte", short(icmp6(2), 1), "not_accepted"),
    Case("error cut by the snap length behind the quoted port", cut(eth6(ip6(CDN6, icmp6(2, TOO_BIG))), 14 + 40 + 8 + 42), CDN6, "cdn", "cdn", "egress"),
    Case("error cut by the snap length inside the quoted port", cut(eth6(ip6(CDN6, icmp6(2, TOO_BIG))), 14 + 40 + 8 + 41), CDN6, "cdn", "not_accepted", "egress"),
]

SPECTRUM = [
    to_spectrum("to Spectrum, quotes TCP", 2, sent_by(SPE6, FROM_22), "spectrum"),
    to_spectrum("to Spectrum, quotes UDP", 1, sent_by(SPE6, udp(50000, sport=53)), "spectrum"),
    to_spectrum("to Spectrum, quotes the IP header of TCP alone: too short", 2, sent_by(SPE6, FROM_22)[:HEADER], "not_accepted"),
    to_spectrum("to Spectrum, quotes half a source port: too short", 2, sent_by(SPE6, FROM_22)[:HEADER + 1], "not_accepted"),
    to_spectrum("to Spectrum, quotes a first fragment", 2, sent_by(SPE6, fragment(FROM_22, more=True)), "spectrum"),
    to_spectrum("to Spectrum, quotes a later fragment of TCP", 2, sent_by(SPE6, fragment(raw(6, bytes(8)), offset=181)), "spectrum"),
    to_spectrum("to Spectrum, quotes a later fragment of ICMPv6", 2, sent_by(SPE6, fragment(raw(58, bytes(8)), offset=181)), "not_accepted"),
    to_spectrum("to Spectrum, quotes an echo reply", 2, sent_by(SPE6, icmp6(129, b"pong")), "not_accepted"),
    to_spectrum("to Spectrum, quotes another address", 2, sent_by(CDN6, FROM_22), "not_accepted"),
]

TARGET = bytes.fromhex("20010db8011300000000000000000001")
DISCOVERY = cases(
    ("neighbour solicitation to a bound address: no kernel path, so it is steered", eth6(ip6(CDN6, icmp6(135, TARGET), hop_limit=255)), CDN6, "cdn", "not_accepted", "egress"),
    ("neighbour advertisement to a bound address", eth6(ip6(SPE6, icmp6(136, TARGET), hop_limit=255)), SPE6, "spectrum", "not_accepted", "egress"),
    ("router advertisement to a bound address", eth6(ip6(MT6, icmp6(134, bytes(8)), hop_limit=255)), MT6, "magic_transit", "magic_transit", "egress"),
    ("neighbour solicitation to nobody", eth6(ip6(OUT6, icmp6(135, TARGET), hop_limit=255)), OUT6, "unmatched", "unmatched", "egress"),
    dropped("neighbour solicitation to the solicited node", eth6(ip6("ff02::1:ff00:1", icmp6(135, TARGET), hop_limit=255)), "local_scope", Host("ff02::1:ff00:1", "-")),
    dropped("router solicitation to all routers", eth6(ip6("ff02::2", icmp6(133), hop_limit=255)), "local_scope", Host("ff02::2", "-")),
    dropped("neighbour solicitation to a link-local address", eth6(ip6("fe80::1", icmp6(135, TARGET), hop_limit=255)), "local_scope", Host("fe80::1", "-")),
)

CASES = TYPES + QUOTES + OUTER + SPECTRUM + DISCOVERY
