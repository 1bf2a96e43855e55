# SPDX-License-Identifier: BSD-3-Clause
"""steerd is killed with SIGKILL under load, and started again at once.

The edge's own service never fails, the kernel has all traffic within 100 ms, owned traffic returns,
and neither programs nor sockets are left.

How long the kernel takes is the longest silence of a packet every millisecond, which on a shared machine also has what
others do: it is measured often, the median has to hold, and all are reported, beside silences without a kill.
"""
import json
import signal
import statistics
import time

import expect
import network
import processes
from load import Wrk
from network import link4, owned4, owned6
from probe import Probe
from stamps import Ticks
from steerd_edge import PORTS

KILLS = 7
TAKE_OVER_SECONDS_MAX = 0.1


def attached():
    """Interfaces of the edge with an XDP program."""
    links = json.loads(network.in_host("edge", "-j", "-d", "link", "show"))
    return sorted(link["ifname"] for link in links if "xdp" in link)


def sockets():
    """AF_XDP sockets in the edge."""
    done = processes.run("edge", "cat", "/proc/net/protocols")
    return int(next(line.split()[2] for line in done.stdout.splitlines() if line.startswith("XDP ")))


def run(lab):
    if not lab.edge.is_steerd:
        raise expect.Skip("the edge routes with its kernel: there is no steerd to kill")
    # What the kernel does with owned prefixes is the operator's choice: this one address it routes as steerd does.
    network.in_host("edge", lines=[f"route add {owned4(3)}/32 via {link4(6, 2)}"])
    expect.equal("ports with an XDP program", attached(), sorted(PORTS))
    silences, ordinary, starts = [], [], []
    try:
        with Wrk(expect.url(owned4(1))), Probe() as probe, Ticks(owned4(3)) as ticks:
            for _ in range(KILLS):
                time.sleep(0.5)
                killed = time.monotonic()
                ordinary.append(ticks.longest_silence(killed - 0.3))
                lab.edge.end(signal.SIGKILL)
                time.sleep(0.3)
                silences.append(ticks.longest_silence(killed))
                expect.equal("XDP programs that outlived steerd", attached(), [])
                processes.wait_for("the end of the AF_XDP sockets", lambda: sockets() == 0, 1)
                before = time.monotonic()
                lab.edge.start()
                starts.append(time.monotonic() - before)
                for owned in (owned4, owned6):
                    expect.equal(f"the page of {owned(1)} after a restart",
                                 expect.fetch("client", expect.url(owned(1))).split()[0], "cdn")
                    expect.returns("client", owned(3))
    finally:
        network.in_host("edge", lines=[f"route delete {owned4(3)}/32"])
    expect.equal("failures of the edge's own service", probe.failures, [])
    took = ", ".join(f"{silence * 1e3:.0f}" for silence in sorted(silences))
    expect.that(f"the kernel took over after {took} ms, of which the median is over {TAKE_OVER_SECONDS_MAX * 1e3:.0f}",
                statistics.median(silences) <= TAKE_OVER_SECONDS_MAX)
    return (f"killed {KILLS} times: the kernel took over after {took} ms (without a kill the longest silence was "
            f"{max(ordinary) * 1e3:.0f}), steerd was ready again after {max(starts):.1f} s; {probe.answers} answers of the edge's own service, "
            f"the slowest after {probe.slowest * 1e3:.0f} ms")
