# SPDX-License-Identifier: BSD-3-Clause
"""The scenarios notice what they have to: a late move, lost packets, failed requests, an edge out of reach."""
import threading
import time

import expect
import network
from bindings import bindings
from load import Wrk
from network import address, owned4
from probe import Probe
from scenarios import moves
from stamps import Stream


class LateEdge:
    """Acknowledges what it does only a little later."""

    def __init__(self, edge):
        self._edge = edge
        self._timers = []

    def publish(self, wanted):
        self._timers.append(threading.Timer(0.05, self._edge.publish, [wanted]))
        self._timers[-1].start()

    def finish(self):
        for timer in self._timers:
            timer.join()


class LateLab:
    def __init__(self, lab):
        self.edge = LateEdge(lab.edge)


def _late_move(lab):
    late = LateLab(lab)
    try:
        moves.run(late, moves=2)
    except expect.Failure as failure:
        expect.that(f"another failure than that of a late move: {failure}", "packets that arrived" in str(failure))
    else:
        raise expect.Failure("moves acknowledged 50 ms too early were not noticed")
    finally:
        late.edge.finish()
        lab.edge.publish(bindings())


def _lost_packets(lab):
    stream = Stream()
    stream.start()
    network.in_host("edge", lines=[f"route replace blackhole {owned4(2)}/32"])
    time.sleep(0.1)
    lab.edge.publish(bindings())
    stream.stop()
    expect.that("none of the packets that the edge dropped for 0.1 s was missed", stream.lost > 0)


def _failed_requests():
    with Wrk(expect.url(owned4(1), "/nothing-here")) as wrk:
        time.sleep(0.3)
        load = wrk.result()
    expect.equal("requests for a page that is not there, and failures", load.failed, load.requests)


def _edge_out_of_reach():
    away = f"blackhole {address('client', 'uplink')}/32"
    with Probe(patience=0.2) as probe:
        time.sleep(0.2)
        network.in_host("edge", lines=[f"route add {away}"])
        time.sleep(0.5)
        network.in_host("edge", lines=[f"route delete {away}"])
    expect.that("an edge that could not answer for 0.5 s was not noticed", probe.failures)


def run(lab):
    if lab.edge.is_steerd:
        raise expect.Skip("its faults are made with the kernel's routes: script/lab test --kernel instruments")
    _late_move(lab)
    _lost_packets(lab)
    _failed_requests()
    _edge_out_of_reach()
    return "each of four faults was noticed"
