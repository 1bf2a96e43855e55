# SPDX-License-Identifier: BSD-3-Clause
"""A full Spectrum output costs the CDN and Magic Transit not a packet.

Spectrum's output is a ring that nobody drains; it is full after some thousand packets.
"""
import socket
import threading
import time

import expect
import processes
from load import Wrk
from network import owned4
from services import ECHO_PORT
from stamps import Ticks

SECONDS = 3
RING_PACKETS = 1024  # of a net_ring device

RING = {"spectrum_port": "port = spectrum device=net_ring0 role=none",
        "spectrum_output": "output = spectrum port=spectrum rewrite=none"}


class Flood(threading.Thread):
    """Datagrams to Spectrum, 64 at a time and then a pause, that others have a share of the CPU."""

    def __init__(self):
        super().__init__()
        self.sent = 0

    def run(self):
        end = time.monotonic() + SECONDS
        with processes.socket_in("client", socket.AF_INET, socket.SOCK_DGRAM) as udp:
            while time.monotonic() < end:
                for _ in range(64):
                    udp.sendto(b"flood", (owned4(2), ECHO_PORT))
                self.sent += 64
                time.sleep(0.002)


def run(lab):
    if not lab.edge.is_steerd:
        raise expect.Skip("the edge routes with its kernel: there are no output queues")
    lab.edge.stop()
    lab.edge.start(**RING)
    try:
        with Wrk(expect.url(owned4(1))) as wrk, Ticks(owned4(3)) as ticks:
            flood = Flood()
            flood.start()
            flood.join()
            load = wrk.result()
        lost = lab.edge.counters("/steer/services")["spectrum_queue_full_packets"]
    finally:
        lab.edge.stop()
        lab.edge.start()
    expect.that(f"of {flood.sent} packets to a ring of {RING_PACKETS}, {lost} were counted as spectrum_queue_full",
                lost >= flood.sent - RING_PACKETS > 0)
    expect.equal("packets to Magic Transit that arrived", ticks.received, ticks.sent)
    expect.equal("failed requests to the CDN", load.failed, 0)
    return (f"{lost} of {flood.sent} packets to Spectrum were dropped; {ticks.received} to Magic Transit and "
            f"{load.requests:,} requests to the CDN ({load.per_second:,.0f}/s) were not")
