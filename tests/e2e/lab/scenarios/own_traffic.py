# SPDX-License-Identifier: BSD-3-Clause
"""The edge's own TCP service, ping, ARP and ND work on the steered port while it steers.

Its neighbours are flushed meanwhile, that of the Magic Transit output too: no packet to there is lost."""
import time

import expect
import network
from load import Wrk
from network import address, owned4
from probe import Probe
from stamps import Ticks

FLUSHES = 5


def run(lab):
    with Wrk(expect.url(owned4(1))) as wrk, Probe() as probe, Ticks(owned4(3)) as ticks:
        for _ in range(FLUSHES):
            for host, name in (("edge", "ingress"), ("router", "edge"), ("edge", "magic"), ("edge", "spectrum")):
                network.in_host(host, "neigh", "flush", "dev", name)
                network.in_host(host, "-6", "neigh", "flush", "dev", name)
            for family in (4, 6):
                expect.ping("client", address("edge", "ingress", family))
                expect.ping("edge", address("client", "uplink", family))
                expect.ping("edge", address("router", "edge", family))
            time.sleep(0.2)
        load = wrk.result()
    expect.equal("packets to Magic Transit that were lost", ticks.sent - ticks.received, 0)
    expect.equal("failures of the edge's own service", probe.failures, [])
    expect.that(f"too few answers of the edge's own service: {probe.answers}", probe.answers > 50)
    expect.equal("failed requests", load.failed, 0)
    expect.that(f"wrk made {load.requests} requests", load.requests > 1000)
    return (f"{probe.answers} answers, the slowest after {probe.slowest * 1e3:.0f} ms, "
            f"beside {load.per_second:,.0f} requests/s; {FLUSHES} flushes of the neighbours cost none of {ticks.sent} "
            "packets to Magic Transit")
