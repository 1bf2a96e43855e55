# SPDX-License-Identifier: BSD-3-Clause
"""Path-MTU discovery works through each service: the router's errors reach who sent too much.

The mobile client's link carries 1300 bytes, of which only the router knows.
"""
import expect
import network
from network import owned4, owned6
from services import ECHO_PORT, LARGE_BYTES


def run(lab):
    network.forget_paths()
    slowest = 0.0
    for owned in (owned4, owned6):
        for part, service in ((1, "CDN"), (2, "Spectrum"), (3, "Magic Transit")):
            size, seconds = expect.fetch_bytes("mobile", expect.url(owned(part), "/large"))
            expect.equal(f"bytes of {owned(part)}, through {service}", size, LARGE_BYTES)
            slowest = max(slowest, seconds)
        # The first answer is lost, and its loss tells the service how large a fragment may be.
        expect.equal(f"bytes of a datagram from {owned(2)}",
                     expect.udp_echo("mobile", owned(2), ECHO_PORT, b"size 1400"), 1400)
    for host, owner in (("cdn", 1), ("spectrum", 2), ("origin", 3)):
        learned = network.in_host(host, "route", "get", network.address("mobile", "uplink"), "from", owned4(owner))
        expect.that(f"{host} has not learned of 1300 bytes: {learned}", "mtu 1300" in learned)
    return f"{LARGE_BYTES:,} bytes through each, the slowest in {slowest:.2f} s"
