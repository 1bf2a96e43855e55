# SPDX-License-Identifier: BSD-3-Clause
"""The capture formats, byte by byte, and ways to break them.

pcap: draft-ietf-opsawg-pcap. pcapng: draft-ietf-opsawg-pcapng. Records get one second each.
"""
import struct
import zlib

from packets import Record

ETHERNET, RAW_IP, LINUX_SLL = 1, 101, 113
SNAPLEN = 262144
START_S = 1_700_000_000
LITTLE, BIG = "<", ">"


def pcap_header(order=LITTLE, nanoseconds=False, link_type=ETHERNET):
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    return struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, SNAPLEN, link_type)


def pcap_record(record, number, order=LITTLE):
    return struct.pack(order + "IIII", START_S + number, number, len(record.bytes), record.wire_length) + record.bytes


def pcap(records, order=LITTLE, nanoseconds=False, link_type=ETHERNET):
    body = b"".join(pcap_record(record, number, order) for number, record in enumerate(records))
    return pcap_header(order, nanoseconds, link_type) + body


def block(order, kind, body):
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def option(order, code, value):
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def section(order):
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(order, link_type=ETHERNET, tsresol=6):
    options = option(order, 2, f"if{tsresol}".encode()) + option(order, 9, bytes([tsresol])) + option(order, 0, b"")
    return block(order, 1, struct.pack(order + "HHI", link_type, 0, SNAPLEN) + options)


def enhanced_packet(order, record, number, interface_id=0, tsresol=6):
    stamp = (START_S + number) * 10**tsresol
    head = struct.pack(order + "IIIII", interface_id, stamp >> 32, stamp & 0xFFFFFFFF, len(record.bytes), record.wire_length)
    flags = option(order, 2, struct.pack(order + "I", 1 + number % 2)) + option(order, 0, b"")
    return block(order, 6, head + record.bytes + bytes(-len(record.bytes) % 4) + flags)


def pcapng(records, order=LITTLE):
    """Two Ethernet interfaces, with nanoseconds and with microseconds, take turns; the direction flags
    say inbound and outbound in turn and must not matter. A statistics block and a block of an unknown
    type lie between the packets; the last packet is a simple packet block."""
    parts = [section(order), interface(order, tsresol=9), interface(order, tsresol=6)]
    for number, record in enumerate(records[:-1]):
        parts.append(enhanced_packet(order, record, number, number % 2, (9, 6)[number % 2]))
    parts.insert(-1, block(order, 5, struct.pack(order + "III", 0, 0, 0)))
    parts.insert(-2, block(order, 0x0BAD0BAD, b"unknown, to be skipped"))
    last = records[-1]
    assert len(last.bytes) == last.wire_length
    return b"".join(parts) + block(order, 3, struct.pack(order + "I", last.wire_length) + last.bytes)


def gzipped(data):
    """RFC 1952, without a time stamp and with a fixed deflate stream: the same bytes everywhere."""
    deflate = zlib.compressobj(0, zlib.DEFLATED, -15)
    body = deflate.compress(data) + deflate.flush()
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + body + struct.pack("<II", zlib.crc32(data), len(data))


def broken_captures(frames):
    """File name -> (bytes, packets that can be read in front of the damage, what is wrong).

    frames: at least four whole frames. `none` is wrong with a file that is merely without packets.
    """
    records = [Record(frame, len(frame)) for frame in frames]
    good = pcap(records)
    three = len(pcap(records[:3]))
    absurd = struct.pack("<IIII", START_S, 0, 0x00420000, 0x00420000) + bytes(40)
    endless = struct.pack("<IIII", START_S, 0, 0xFFFFFFFF, 60) + bytes(40)
    mixed = [section(LITTLE), interface(LITTLE)]
    mixed += [enhanced_packet(LITTLE, record, number) for number, record in enumerate(records[:2])]
    mixed += [interface(LITTLE, LINUX_SLL), enhanced_packet(LITTLE, records[2], 2, 1)]
    mixed += [enhanced_packet(LITTLE, records[3], 3)]
    one_block = len(enhanced_packet(LITTLE, records[3], 3))
    return {
        "absurd-length.pcap": (pcap(records[:2]) + absurd, 2, "record length"),
        "compressed.pcap.gz": (gzipped(good), 0, "compressed"),
        "cut-in-data.pcap": (good[: three + 16 + 30], 3, "cut"),
        "cut-in-file-header.pcap": (good[:20], 0, "cut"),
        "cut-in-pcapng-block.pcapng": (pcapng(records + records[:1])[:-one_block], 3, "cut"),
        "cut-in-record-header.pcap": (good[: three + 9], 3, "cut"),
        "empty.pcap": (b"", 0, "empty"),
        "endless-length.pcap": (pcap(records[:2]) + endless, 2, "record length"),
        "garbage.txt": (b"Please find the capture attached.\n" * 8, 0, "no capture"),
        "header-only.pcap": (pcap([]), 0, "none"),
        "mixed-link-types.pcapng": (b"".join(mixed), 2, "link type"),
        "raw-ip.pcap": (pcap([Record(r.bytes[14:], r.wire_length - 14) for r in records], link_type=RAW_IP), 0, "link type"),
    }
