# SPDX-License-Identifier: BSD-3-Clause
"""203.0.113.2 moves between CDN and Spectrum 1,000 times while wrk loads 203.0.113.1.

No request fails; every stamped packet that is sent after a move was acknowledged takes the new way;
and of a stream of packets that never stops, each arrives exactly once, in order.
"""
import statistics
import time

import expect
from bindings import bindings
from load import Wrk
from network import owned4
from stamps import Stamps, Stream

MOVES = 1000
PACKETS = 4  # of each family after each move


def run(lab, moves=MOVES):
    publish_ms = []
    with Wrk(expect.url(owned4(1))) as wrk, Stamps() as stamps:
        stream = Stream()
        stream.start()
        try:
            for number in range(1, moves + 1):
                service = ("spectrum", "cdn")[number % 2]
                before = time.monotonic()
                lab.edge.publish(bindings(second=service))
                publish_ms.append((time.monotonic() - before) * 1e3)
                arrived = stamps.round_trip(PACKETS)
                expect.equal(f"move {number}, to {service}: packets that arrived",
                             arrived, {"cdn": 0, "spectrum": 0, "late": 0} | {service: 2 * PACKETS})
        finally:
            stream.stop()
        load = wrk.result()
    expect.equal("packets of the stream that were lost", stream.lost, 0)
    expect.equal("packets of the stream that arrived twice", stream.duplicates, 0)
    expect.equal("packets of the stream that arrived out of order", stream.reordered, 0)
    expect.equal("failed requests", load.failed, 0)
    expect.that(f"wrk made {load.requests} requests", load.requests > 1000)
    return (f"{moves} moves, acknowledged after {statistics.median(publish_ms):.1f} ms (median), "
            f"{moves * 2 * PACKETS} stamped packets and {2 * stream.sent} of a stream, "
            f"{load.requests:,} requests ({load.per_second:,.0f}/s), none failed")
