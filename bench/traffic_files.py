# SPDX-License-Identifier: BSD-3-Clause
"""Captures and bindings for benchmarks of whole programs: the same files for the same seed."""
import json
import random
import socket
import struct
from pathlib import Path

PREFIXES = 1000
HOSTS_PER_PREFIX = 4
FRAME_BYTES = 60
RECORD_HEADER = struct.Struct("<IIII")
FILE_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)


def address(number):
    return socket.inet_ntoa(struct.pack("!I", number))


def make_bindings(rng):
    """1,000 /24 of Magic Transit -> their host bindings, 4 each, of CDN or Spectrum."""
    prefixes = set()
    while len(prefixes) < PREFIXES:
        first = rng.choice([n for n in range(11, 223) if n not in (127, 169)])
        prefixes.add(first << 24 | rng.randrange(1 << 16) << 8)
    return {prefix: {prefix | host: rng.choice(("cdn", "spectrum"))
                     for host in rng.sample(range(1, 255), HOSTS_PER_PREFIX)}
            for prefix in sorted(prefixes)}


def write_bindings(path, bindings):
    path.write_text(json.dumps({"prefixes": [
        {"cidr": address(prefix) + "/24", "service": "magic_transit",
         "bindings": [{"cidr": address(host) + "/32", "service": service}
                      for host, service in hosts.items()]}
        for prefix, hosts in bindings.items()]}), encoding="utf-8")


def udp_frame(rng, destination):
    length = FRAME_BYTES - 14
    header = struct.pack("!BBHHHBBHII", 0x45, 0, length, rng.randrange(1 << 16), 0x4000, 64, 17, 0,
                         rng.randrange(0x0B000000, 0xDF000000), destination)
    words = struct.unpack("!10H", header)
    total = sum(words)
    total = (total & 0xFFFF) + (total >> 16)
    checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    header = header[:10] + struct.pack("!H", checksum) + header[12:]
    udp = struct.pack("!HHHH", rng.randrange(1024, 65535), rng.choice((53, 80, 443, 5060)),
                      length - 20, 0)
    return bytes.fromhex("0200000000010200000000020800") + header + udp + bytes(length - 28)


def write_small_packets(path, packets, bindings, rng):
    """UDP in frames of 60 bytes, half to a host binding, half to another address of a prefix."""
    prefixes = list(bindings)
    hosts = [host for own in bindings.values() for host in own]
    with path.open("wb") as out:
        out.write(FILE_HEADER)
        for i in range(packets):
            to_host = rng.random() < 0.5
            destination = rng.choice(hosts) if to_host else rng.choice(prefixes) | rng.randrange(1, 255)
            frame = udp_frame(rng, destination)
            out.write(RECORD_HEADER.pack(i // 1000000, i % 1000000, len(frame), len(frame)) + frame)


def repeat_capture(source, path, size):
    """The packets of `source`, over and over, up to `size` bytes."""
    capture = source.read_bytes()
    records = capture[len(FILE_HEADER):]
    with path.open("wb") as out:
        out.write(capture[:len(FILE_HEADER)])
        for _ in range(size // len(records)):
            out.write(records)


def write_all(directory, large_bytes):
    """bindings.json, hot.pcap (4,096 packets), cold.pcap (100,000), large.pcap (of cold.pcap)."""
    rng = random.Random(42)
    bindings = make_bindings(rng)
    write_bindings(Path(directory) / "bindings.json", bindings)
    write_small_packets(Path(directory) / "hot.pcap", 4096, bindings, rng)
    write_small_packets(Path(directory) / "cold.pcap", 100000, bindings, rng)
    repeat_capture(Path(directory) / "cold.pcap", Path(directory) / "large.pcap", large_bytes)
