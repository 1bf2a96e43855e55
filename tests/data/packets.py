# SPDX-License-Identifier: BSD-3-Clause
"""Builders of frames, just large enough to say what a test packet is.

A layer above IP is a Layer: its protocol number and its bytes, so that layers nest as they do on the
wire: ip6(host, hop_by_hop(tcp(443))). Lengths, the IPv4 header checksum and next headers are right
unless a caller overrides them; transport checksums are zero, nothing here reads them.
"""
import socket
import struct
from collections import namedtuple

Layer = namedtuple("Layer", "protocol bytes")
# A frame as a capture holds it: the bytes at hand and the length it had on the wire.
Record = namedtuple("Record", "bytes wire_length")
# A destination: its address as inet_ntop prints it, and the CIDR of its longest matching binding.
Host = namedtuple("Host", "address binding")

CLIENT4 = "192.0.2.77"
CLIENT6 = "2001:db8:c::77"
IPV4, IPV6 = 0x0800, 0x86DD
MACS = bytes.fromhex("02005e000001" "02005e000002")


def address_of(host):
    return host.address if isinstance(host, Host) else host


# --- link layer ---


def frame(ether_type, payload=b"", *tags):
    """tags: (EtherType, tag control information) each, the outer one first."""
    return MACS + b"".join(struct.pack("!HH", *tag) for tag in tags) + struct.pack("!H", ether_type) + payload


def eth4(packet, *tags):
    return frame(IPV4, packet, *tags)


def eth6(packet, *tags):
    return frame(IPV6, packet, *tags)


def padded(bytes_of_frame, length=60):
    """To the shortest frame of Ethernet (without its check sequence)."""
    return bytes_of_frame.ljust(length, b"\0")


def cut(bytes_of_frame, captured):
    """As a snap length of `captured` bytes leaves it."""
    return Record(bytes_of_frame[:captured], len(bytes_of_frame))


def long_frame(bytes_of_frame, wire_length):
    """The beginning of a frame that is larger than anybody wants to keep."""
    return Record(bytes_of_frame, wire_length)


# --- IP headers ---


def internet_checksum(header):
    total = sum(struct.unpack(f"!{len(header) // 2}H", header))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def ip4(dst, layer=Layer(17, b""), *, src=CLIENT4, options=b"", version=4, ihl=None, total=None,
        offset=0, more=False, flags=0, identification=1, checksum=None):
    """offset: in units of 8 bytes. flags: 2 is DF, 4 the reserved bit. checksum: None is the right one."""
    ihl = 5 + len(options) // 4 if ihl is None else ihl
    total = 20 + len(options) + len(layer.bytes) if total is None else total
    fragment = (flags | more) << 13 | offset

    def header(check):
        return struct.pack("!BBHHHBBH4s4s", version << 4 | ihl, 0, total, identification, fragment, 64,
                           layer.protocol, check, socket.inet_aton(address_of(src)),
                           socket.inet_aton(address_of(dst))) + options

    right = internet_checksum(header(0))
    return header(right if checksum is None else checksum) + layer.bytes


def ip6(dst, layer=Layer(59, b""), *, src=CLIENT6, version=6, payload_length=None, hop_limit=64):
    length = len(layer.bytes) if payload_length is None else payload_length
    return struct.pack("!IHBB16s16s", version << 28, length, layer.protocol, hop_limit,
                       socket.inet_pton(socket.AF_INET6, address_of(src)),
                       socket.inet_pton(socket.AF_INET6, address_of(dst))) + layer.bytes


# --- IPv6 extension headers (RFC 8200 section 4, RFC 4302) ---


def extension(protocol, layer, data=bytes.fromhex("010400000000")):
    """data: 8n + 6 bytes behind next header and length; by default one PadN option."""
    return Layer(protocol, bytes([layer.protocol, (len(data) - 6) // 8]) + data + layer.bytes)


def hop_by_hop(layer):
    return extension(0, layer)


def destination_options(layer):
    return extension(60, layer)


def routing(layer):
    """A segment routing header with one segment, none left (RFC 8754): 24 bytes."""
    return extension(43, layer, bytes.fromhex("04000000 0000") + socket.inet_pton(socket.AF_INET6, CLIENT6))


def authentication(layer):
    """24 bytes: its length counts units of 4 bytes, less 2."""
    return Layer(51, bytes([layer.protocol, 4]) + bytes(2) + bytes.fromhex("0000010000000001") + bytes(12) + layer.bytes)


def fragment(layer, *, offset=0, more=False):
    """offset 0 without more: an atomic fragment (RFC 6946)."""
    return Layer(44, struct.pack("!BBHI", layer.protocol, 0, offset << 3 | more, 7) + layer.bytes)


def nested(count, layer):
    """`count` extension headers in front of a layer, of changing kinds."""
    for number in range(count):
        layer = (destination_options, routing, authentication)[number % 3](layer)
    return layer


# --- transport ---


def raw(protocol, data=b""):
    return Layer(protocol, data)


def tcp(dport, sport=50000):
    return Layer(6, struct.pack("!HHIIBBHHH", sport, dport, 1, 0, 0x50, 2, 8192, 0, 0))


def udp(dport, sport=50000, data=b"steered!"):
    return Layer(17, struct.pack("!HHHH", sport, dport, 8 + len(data), 0) + data)


def like_udp(protocol, dport):
    """SCTP, UDP-Lite and DCCP have their ports where UDP has them."""
    return Layer(protocol, udp(dport).bytes + bytes(8))


def short(layer, count):
    """The first `count` bytes of a layer."""
    return Layer(layer.protocol, layer.bytes[:count])


def icmp(kind, data=b"", code=0, protocol=1):
    return Layer(protocol, struct.pack("!BBHI", kind, code, 0, 0) + data)


def icmp6(kind, data=b"", code=0):
    return icmp(kind, data, code, protocol=58)
