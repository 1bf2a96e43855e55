# SPDX-License-Identifier: BSD-3-Clause
"""Jumbograms (RFC 2675): only their first bytes are in the file, their length is the record's."""
from case import CDN6, MT6, SPE6, Case, cases, dropped
from packets import cut, destination_options, eth6, extension, ip6, long_frame, raw, tcp, udp

ETHERNET, HEADER = 14, 40


def jumbo(length, layer, before=b"", after=b""):
    """A hop-by-hop header with the jumbo payload option, other options before and after it."""
    return extension(0, layer, before + b"\xc2\x04" + length.to_bytes(4, "big") + after)


def jumbogram(host, length, layer=tcp(443), wire_payload=None, tags=(), **options):
    """wire_payload: what the frame holds behind the IPv6 header, if not `length`."""
    wire = ETHERNET + 4 * len(tags) + HEADER + (length if wire_payload is None else wire_payload)
    return long_frame(eth6(ip6(host, jumbo(length, layer, **options), payload_length=0), *tags), wire)


RIGHT = cases(
    ("the smallest jumbogram: 65,536 bytes", jumbogram(CDN6, 65536), CDN6, "cdn", "cdn", "egress"),
    ("80,040 bytes", jumbogram(CDN6, 80040), CDN6, "cdn", "cdn", "egress"),
    ("a port off the list", jumbogram(CDN6, 65536, tcp(22)), CDN6, "cdn", "not_accepted", "egress"),
    ("to Spectrum, UDP", jumbogram(SPE6, 70000, udp(53)), SPE6, "spectrum", "spectrum", "egress"),
    ("to Spectrum, GRE", jumbogram(SPE6, 70000, raw(47, bytes(8))), SPE6, "spectrum", "not_accepted", "egress"),
    ("to Magic Transit", jumbogram(MT6, 70000), MT6, "magic_transit", "magic_transit", "egress"),
    ("destination options behind the hop-by-hop header", jumbogram(CDN6, 70000, destination_options(tcp(443))), CDN6, "cdn", "cdn", "egress"),
    ("the option behind a PadN option", jumbogram(CDN6, 70000, before=bytes.fromhex("01020000"), after=bytes.fromhex("01020000")), CDN6, "cdn", "cdn", "egress"),
    ("the option behind four Pad1 options", jumbogram(CDN6, 70000, before=bytes(4), after=bytes(4)), CDN6, "cdn", "cdn", "egress"),
    ("padding behind a jumbogram", jumbogram(CDN6, 70000, wire_payload=70004), CDN6, "cdn", "cdn", "egress"),
    ("in 802.1Q", jumbogram(CDN6, 70000, tags=[(0x8100, 100)]), CDN6, "cdn", "cdn", "egress"),
    ("16,777,216 bytes", jumbogram(MT6, 1 << 24), MT6, "magic_transit", "magic_transit", "egress"),
)

# RFC 2675 section 3 forbids these to a sender; they do not contradict the frame, which is what
# the specification calls malformed.
SMALL = cases(
    ("reading: one byte too small for a jumbogram", jumbogram(CDN6, 65535), CDN6, "cdn", "cdn", "egress"),
    ("reading: a jumbogram of 28 bytes, that would be right without the option", jumbogram(CDN6, 28), CDN6, "cdn", "cdn", "egress"),
    ("reading: a jumbogram of 0 bytes", jumbogram(CDN6, 0, wire_payload=28), CDN6, "cdn", "not_accepted", "egress"),
)

WRONG = cases(
    dropped("one byte beyond the frame", jumbogram(CDN6, 70000, wire_payload=69999), "malformed_ip_length"),
    dropped("beyond the frame by a tag", jumbogram(CDN6, 70004, wire_payload=70000, tags=[(0x8100, 100)]), "malformed_ip_length"),
    dropped("beyond a small frame", jumbogram(CDN6, 65536, wire_payload=28), "malformed_ip_length"),
    dropped("the greatest length there is", jumbogram(CDN6, 0xFFFFFFFF, wire_payload=70000), "malformed_ip_length"),
)

# Payload length 0 without the option says: no payload. What follows is padding, as behind any packet.
NO_OPTION = extension(0, tcp(443))
ABSENT = cases(
    ("reading: no jumbo option, so a packet without payload", eth6(ip6(CDN6, NO_OPTION, payload_length=0)), CDN6, "cdn", "not_accepted", "egress"),
    ("reading: the same in a frame as large as a jumbogram", long_frame(eth6(ip6(SPE6, NO_OPTION, payload_length=0)), 70000), SPE6, "spectrum", "not_accepted", "egress"),
    ("reading: hop-by-hop options announced, the frame ends", eth6(ip6(SPE6, raw(0))), SPE6, "spectrum", "not_accepted", "egress"),
    ("payload length 0, TCP in a large frame", long_frame(eth6(ip6(CDN6, tcp(443), payload_length=0)), 70000), CDN6, "cdn", "not_accepted", "egress"),
)

WHOLE = eth6(ip6(CDN6, jumbo(70000, tcp(443)), payload_length=0))
WIRE = ETHERNET + HEADER + 70000
CUT = cases(
    ("reading: cut behind the IPv6 header: the option is unknown, the header is whole", long_frame(WHOLE[:54], WIRE), CDN6, "cdn", "not_accepted", "egress"),
    ("reading: cut inside the option", long_frame(WHOLE[:58], WIRE), CDN6, "cdn", "not_accepted", "egress"),
    ("cut behind the option", long_frame(WHOLE[:62], WIRE), CDN6, "cdn", "not_accepted", "egress"),
    ("cut behind the option, to Spectrum: the protocol is known", long_frame(jumbogram(SPE6, 70000).bytes[:62], WIRE), SPE6, "spectrum", "spectrum", "egress"),
    ("cut behind the port", long_frame(WHOLE[:66], WIRE), CDN6, "cdn", "cdn", "egress"),
    dropped("cut inside the IPv6 header", long_frame(WHOLE[:53], WIRE), "malformed_ip_truncated"),
    dropped("cut behind the option, length beyond the frame", long_frame(WHOLE[:62], WIRE - 1), "malformed_ip_length"),
)

CASES = RIGHT + SMALL + WRONG + ABSENT + CUT
