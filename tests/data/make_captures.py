#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes captures/ and expected/ from the tables in cases/; README.md says what they are.

make_captures.py          writes the files
make_captures.py --check  writes nothing; fails if a file differs from what it would write
"""
import argparse
import sys
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

from capture_files import BIG, LITTLE, broken_captures, pcap, pcapng  # noqa: E402
from case import CDN4, SPE4, MT4, OUT4  # noqa: E402
from cases import (addresses, checksum, ethernet, fragments, icmp4, icmp6, ipv4, ipv6, jumbograms, ports,  # noqa: E402
                   snaplen)
from packets import eth4, ip4, tcp  # noqa: E402

# Each format is used by captures of different content, in the order in which they are given.
CAPTURES = {
    "addresses.pcap": (addresses.CASES, partial(pcap, order=LITTLE)),
    "checksum.pcap": (checksum.CASES, partial(pcap, order=LITTLE, nanoseconds=True)),
    "ethernet.pcap": (ethernet.CASES, partial(pcap, order=BIG)),
    "fragments.pcap": (fragments.CASES, partial(pcap, order=BIG, nanoseconds=True)),
    "icmp4.pcapng": (icmp4.CASES, partial(pcapng, order=BIG)),
    "icmp6.pcap": (icmp6.CASES, partial(pcap, order=BIG)),
    "ipv4.pcap": (ipv4.CASES, partial(pcap, order=LITTLE, nanoseconds=True)),
    "ipv6.pcap": (ipv6.CASES, partial(pcap, order=BIG, nanoseconds=True)),
    "jumbograms.pcap": (jumbograms.CASES, partial(pcap, order=LITTLE)),
    "ports.pcapng": (ports.CASES, partial(pcapng, order=LITTLE)),
    "snaplen.pcap": (snaplen.CASES, partial(pcap, order=LITTLE)),
}
BROKEN_FRAMES = [eth4(ip4(host, tcp(443))) for host in (CDN4, SPE4, MT4, OUT4)]

# The words of case.Case that do not mean a drop -> outcome, reason.
STEERED = {
    "cdn": ("cdn", "bound"),
    "spectrum": ("spectrum", "bound"),
    "magic_transit": ("magic_transit", "bound"),
    "not_accepted": ("magic_transit", "not_accepted"),
    "egress": ("magic_transit", "egress"),
    "ingress_by_default": ("magic_transit", "unmatched"),
}
UNREAD = ("not_ip", "malformed")  # drops in front of the destination


def unmatched_word(case):
    """Under unmatched = magic_transit."""
    return "ingress_by_default" if case.any == "unmatched" else case.any


def egress_unknown_word(case):
    """Under egress-unknown = drop."""
    outside = case.egress == "egress" and case.host.binding == "-" and not case.inside_prefix
    return "egress_unknown" if outside else case.egress


# File -> direction, the word that counts. The settings are in README.md.
EXPECTED = {
    "ingress-any.tsv": ("ingress", lambda case: case.any),
    "ingress-narrow.tsv": ("ingress", lambda case: case.narrow),
    "ingress-checksum.tsv": ("ingress", lambda case: case.checksum or case.any),
    "ingress-unmatched-magic-transit.tsv": ("ingress", unmatched_word),
    "egress.tsv": ("egress", lambda case: case.egress),
    "egress-checksum.tsv": ("egress", lambda case: case.checksum or case.egress),
    "egress-unknown-drop.tsv": ("egress", egress_unknown_word),
}


def numbered_cases():
    for capture, (cases, _) in CAPTURES.items():
        for packet, case in enumerate(cases, start=1):
            yield capture, packet, case


def verdict_line(capture, packet, direction, case, word):
    if word in STEERED:
        outcome, reason = STEERED[word]
        return (capture, packet, direction, outcome, reason, case.host.address, case.host.binding)
    destination = "-" if word.startswith(UNREAD) else case.host.address
    return (capture, packet, direction, "drop", word, destination, "-")


def tsv(header, lines):
    return "".join("\t".join(map(str, line)) + "\n" for line in [header, *lines]).encode()


def files():
    """Path below this folder -> content."""
    result = {}
    for name, (cases, write) in CAPTURES.items():
        result[f"captures/{name}"] = write([case.record() for case in cases])
    broken = broken_captures(BROKEN_FRAMES)
    for name, (content, _, _) in broken.items():
        result[f"captures/broken/{name}"] = content

    header = ("capture", "packet", "direction", "outcome", "reason", "destination", "binding")
    for name, (direction, word_of) in EXPECTED.items():
        lines = [verdict_line(capture, packet, direction, case, word_of(case)) for capture, packet, case in numbered_cases()]
        result[f"expected/{name}"] = tsv(header, lines)
    result["expected/descriptions.tsv"] = tsv(
        ("capture", "packet", "description"),
        [(capture, packet, case.description) for capture, packet, case in numbered_cases()])
    result["expected/broken.tsv"] = tsv(
        ("capture", "packets", "error"), [(name, packets, error) for name, (_, packets, error) in broken.items()])
    return result


def main():
    parser = argparse.ArgumentParser(description="Writes the test captures and their expectations.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is out of date")
    arguments = parser.parse_args()
    stale = 0
    for name, content in files().items():
        path = HERE / name
        if path.is_file() and path.read_bytes() == content:
            continue
        stale += 1
        print(f"{name}: {'differs from its table' if arguments.check else 'written'}")
        if not arguments.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return 1 if arguments.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
