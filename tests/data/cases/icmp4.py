# SPDX-License-Identifier: BSD-3-Clause
"""ICMP errors follow the flow that they quote; queries are just not TCP, UDP or HTTP."""
from case import CDN4, MT4, OUT4, SPE4, Case, cases, dropped
from packets import CLIENT4, cut, eth4, icmp, icmp6, ip4, raw, short, tcp, udp

HEADER, SOURCE_PORT = 20, 2


def sent_by(host, layer, **header):
    """What the host once sent to the client, and a router now quotes."""
    return ip4(CLIENT4, layer, src=host, **header)


FROM_443, FROM_22 = tcp(50000, sport=443), tcp(50000, sport=22)


def error(kind, quote, **header):
    return eth4(ip4(CDN4, icmp(kind, quote), **header))


def to_cdn(what, kind, quote, narrow, **header):
    return Case(what, error(kind, quote, **header), CDN4, "cdn", narrow, "egress")


def to_spectrum(what, kind, quote, narrow):
    return Case(what, eth4(ip4(SPE4, icmp(kind, quote))), SPE4, "spectrum", narrow, "egress")


TYPES = [
    to_cdn("unreachable, quotes TCP from 443", 3, sent_by(CDN4, FROM_443), "cdn"),
    to_cdn("unreachable, quotes TCP from 22", 3, sent_by(CDN4, FROM_22), "not_accepted"),
    to_cdn("source quench, quotes TCP from 443", 4, sent_by(CDN4, FROM_443), "cdn"),
    to_cdn("source quench, quotes TCP from 22", 4, sent_by(CDN4, FROM_22), "not_accepted"),
    to_cdn("redirect, quotes TCP from 443", 5, sent_by(CDN4, FROM_443), "cdn"),
    to_cdn("redirect, quotes TCP from 22", 5, sent_by(CDN4, FROM_22), "not_accepted"),
    to_cdn("time exceeded, quotes TCP from 443", 11, sent_by(CDN4, FROM_443), "cdn"),
    to_cdn("time exceeded, quotes TCP from 22", 11, sent_by(CDN4, FROM_22), "not_accepted"),
    to_cdn("parameter problem, quotes TCP from 443", 12, sent_by(CDN4, FROM_443), "cdn"),
    to_cdn("parameter problem, quotes TCP from 22", 12, sent_by(CDN4, FROM_22), "not_accepted"),
    to_cdn("unreachable, quotes UDP from 443", 3, sent_by(CDN4, udp(50000, sport=443)), "cdn"),
    to_cdn("unreachable, quotes UDP from 80", 3, sent_by(CDN4, udp(50000, sport=80)), "not_accepted"),
    to_cdn("unreachable, quotes TCP from 50000 to 443", 3, sent_by(CDN4, tcp(443)), "not_accepted"),
    to_cdn("echo request", 8, b"ping", "not_accepted"),
    to_cdn("echo reply", 0, b"pong", "not_accepted"),
    to_cdn("timestamp", 13, bytes(12), "not_accepted"),
    to_cdn("echo whose data looks like a quote", 8, sent_by(CDN4, FROM_443), "not_accepted"),
    to_cdn("type 1 is not an error", 1, sent_by(CDN4, FROM_443), "not_accepted"),
    to_cdn("type 30 (traceroute) is not one of the errors", 30, sent_by(CDN4, FROM_443), "not_accepted"),
    Case("ICMP of no bytes at all", eth4(ip4(CDN4, raw(1))), CDN4, "cdn", "not_accepted", "egress"),
    Case("ICMPv6 numbers in IPv4 are no ICMP error", eth4(ip4(CDN4, icmp6(3, sent_by(CDN4, FROM_443)))), CDN4, "cdn", "not_accepted", "egress"),
]

FRAGMENTATION_NEEDED = sent_by(CDN4, FROM_443, flags=2)
QUOTES = [
    to_cdn("fragmentation needed, the whole packet quoted", 3, FRAGMENTATION_NEEDED, "cdn"),
    to_cdn("fragmentation needed, header and 8 bytes quoted (RFC 792)", 3, FRAGMENTATION_NEEDED[:HEADER + 8], "cdn"),
    to_cdn("quote that ends behind the source port", 3, FRAGMENTATION_NEEDED[:HEADER + SOURCE_PORT], "cdn"),
    to_cdn("quote that ends inside the source port", 3, FRAGMENTATION_NEEDED[:HEADER + 1], "not_accepted"),
    to_cdn("quote of the IP header alone", 3, FRAGMENTATION_NEEDED[:HEADER], "not_accepted"),
    to_cdn("quote that ends inside the IP header", 3, FRAGMENTATION_NEEDED[:HEADER - 1], "not_accepted"),
    to_cdn("no quote", 3, b"", "not_accepted"),
    to_cdn("quote from another address", 3, sent_by(SPE4, FROM_443), "not_accepted"),
    to_cdn("quote of a packet to the host, not from it", 3, ip4(CDN4, tcp(443, sport=443)), "not_accepted"),
    to_cdn("quote with options: port 443 behind them", 3, sent_by(CDN4, FROM_443, options=b"\1\1\1\0"), "cdn"),
    to_cdn("quote with options: port 22 behind them", 3, sent_by(CDN4, FROM_22, options=bytes.fromhex("01bb01bb")), "not_accepted"),
    to_cdn("quote that ends inside its options", 3, sent_by(CDN4, FROM_443, options=bytes(40))[:40], "not_accepted"),
    to_cdn("reading: quote with IHL 4 is no quote", 3, sent_by(CDN4, FROM_443, ihl=4), "not_accepted"),
    to_cdn("reading: quote of version 6 in ICMP is no quote", 3, sent_by(CDN4, FROM_443, version=6), "not_accepted"),
    to_cdn("quote of a wrong checksum is a quote: routers changed the TTL", 3, sent_by(CDN4, FROM_443, checksum=1), "cdn"),
    to_cdn("reading: quote of a first fragment has its port", 3, sent_by(CDN4, FROM_443, more=True), "cdn"),
    to_cdn("quote of a later fragment: no port, whatever its bytes", 3, sent_by(CDN4, FROM_443, offset=185), "not_accepted"),
    to_cdn("quote of an echo reply", 3, sent_by(CDN4, icmp(0, b"pong")), "not_accepted"),
    to_cdn("quote of an ICMP error that quotes port 443", 11, sent_by(CDN4, icmp(3, sent_by(CDN4, FROM_443))), "not_accepted"),
    to_cdn("quote of SCTP from 443", 3, sent_by(CDN4, raw(132, FROM_443.bytes)), "not_accepted"),
    to_cdn("quote of GRE", 3, sent_by(CDN4, raw(47, bytes(24))), "not_accepted"),
    to_cdn("error whose own header has options", 3, sent_by(CDN4, FROM_443), "cdn", options=b"\1\1\1\0"),
    to_cdn("error in a first fragment", 3, sent_by(CDN4, FROM_443), "not_accepted", more=True),
    to_cdn("error in a later fragment", 3, sent_by(CDN4, FROM_443), "not_accepted", offset=2),
    to_cdn("error with DF set", 3, sent_by(CDN4, FROM_443), "cdn", flags=2),
]

SPECTRUM = [
    to_spectrum("to Spectrum, quotes TCP", 3, sent_by(SPE4, FROM_22), "spectrum"),
    to_spectrum("to Spectrum, quotes UDP", 11, sent_by(SPE4, udp(50000, sport=53)), "spectrum"),
    to_spectrum("to Spectrum, quotes TCP up to the source port", 3, sent_by(SPE4, FROM_22)[:HEADER + SOURCE_PORT], "spectrum"),
    to_spectrum("to Spectrum, quotes the IP header of TCP alone: too short", 3, sent_by(SPE4, FROM_22)[:HEADER], "not_accepted"),
    to_spectrum("to Spectrum, quotes half a source port: too short", 3, sent_by(SPE4, FROM_22)[:HEADER + 1], "not_accepted"),
    to_spectrum("to Spectrum, no quote", 3, b"", "not_accepted"),
    to_spectrum("to Spectrum, quotes a first fragment", 3, sent_by(SPE4, FROM_22, more=True), "spectrum"),
    to_spectrum("to Spectrum, quotes a later fragment of TCP", 3, sent_by(SPE4, raw(6, bytes(8)), offset=185), "spectrum"),
    to_spectrum("to Spectrum, quotes a later fragment of UDP without a byte", 3, sent_by(SPE4, raw(17), offset=185), "spectrum"),
    to_spectrum("to Spectrum, quotes a later fragment of GRE", 3, sent_by(SPE4, raw(47, bytes(8)), offset=185), "not_accepted"),
    to_spectrum("to Spectrum, quotes an echo reply", 3, sent_by(SPE4, icmp(0, b"pong")), "not_accepted"),
    to_spectrum("to Spectrum, quotes GRE", 12, sent_by(SPE4, raw(47, bytes(24))), "not_accepted"),
    to_spectrum("to Spectrum, quotes another address", 3, sent_by(CDN4, FROM_22), "not_accepted"),
    to_spectrum("to Spectrum, echo request", 8, b"ping", "not_accepted"),
]

WHOLE, TAGGED = error(3, sent_by(CDN4, FROM_443)), eth4(ip4(CDN4, icmp(3, sent_by(CDN4, FROM_443))), (0x8100, 9))
ELSEWHERE = cases(
    ("to Magic Transit, whatever it quotes", eth4(ip4(MT4, icmp(3, sent_by(CDN4, FROM_443)))), MT4, "magic_transit", "magic_transit", "egress"),
    ("to nobody", eth4(ip4(OUT4, icmp(3, sent_by(OUT4, FROM_443)))), OUT4, "unmatched", "unmatched", "egress"),
    ("tagged error", TAGGED, CDN4, "cdn", "cdn", "egress"),
    ("error cut by the snap length behind the quoted port", cut(WHOLE, 14 + 20 + 8 + 22), CDN4, "cdn", "cdn", "egress"),
    ("error cut by the snap length inside the quoted port", cut(WHOLE, 14 + 20 + 8 + 21), CDN4, "cdn", "not_accepted", "egress"),
    ("error cut by the snap length inside the quoted header", cut(WHOLE, 14 + 20 + 8 + 19), CDN4, "cdn", "not_accepted", "egress"),
    ("error cut by the snap length in front of its type", cut(WHOLE, 14 + 20), CDN4, "cdn", "not_accepted", "egress"),
    ("ICMP of one byte", eth4(ip4(CDN4, short(icmp(3), 1))), CDN4, "cdn", "not_accepted", "egress"),
    dropped("error to a multicast address", eth4(ip4("224.0.0.1", icmp(3, sent_by(CDN4, FROM_443)))), "local_scope", OUT4._replace(address="224.0.0.1")),
)

CASES = TYPES + QUOTES + SPECTRUM + ELSEWHERE
