# SPDX-License-Identifier: BSD-3-Clause
"""Spectrum's output is a ring that a process on the Spectrum host drains: its death is noticed, and so is steerd's.

The CDN and Magic Transit lose nothing by it, and what a killed steerd leaves in hugepages is removed
when it is started again.
"""
import signal
import socket
import threading
import time

import expect
import hugepages
import processes
from load import Wrk
from network import mac_of, owned4, LINKS
from processes import STATE
from services import ECHO_PORT
from stamps import Ticks
from steerd_edge import FILE_PREFIX, next_hop

PAGES = 128
NOTICED_SECONDS_MAX = 3
LOG = "ring_consumer.log"


def settings():
    source = next(mac_of(link.near, link.number, 1) for link in LINKS if link.near.name == "spectrum")
    return {
        "spectrum_port": "",
        "spectrum_output": "output = spectrum ring=spectrum packets=1024 rewrite=ethernet "
                           f"next-hop={next_hop('spectrum')} source={source} mtu=1500",
        "hugepages": "hugepages = on",
        "huge_directory": f"eal = --huge-dir={hugepages.DIRECTORY}",
    }


def start_consumer(program):
    return processes.start("spectrum", program, "spectrum.0", "--proc-type=secondary", f"--file-prefix={FILE_PREFIX}",
                           "--no-pci", f"--huge-dir={hugepages.DIRECTORY}", "--lcores=0@(0,1)", "--log-level=*:error",
                           log=LOG)


class Trickle(threading.Thread):
    """A datagram to Spectrum every millisecond."""

    def __init__(self):
        super().__init__()
        self._ended = threading.Event()

    def run(self):
        with processes.socket_in("client", socket.AF_INET, socket.SOCK_DGRAM) as udp:
            while not self._ended.wait(0.001):
                udp.sendto(b"trickle", (owned4(2), ECHO_PORT))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self.join()


def noticed_after(edge, what, is_so):
    start = time.monotonic()
    processes.wait_for(what, lambda: is_so(edge.counters("/steer/services")), NOTICED_SECONDS_MAX)
    return time.monotonic() - start


def consumer_dies(lab, program):
    """Returns how long each change took to be noticed, and what was lost meanwhile."""
    edge = lab.edge
    first = start_consumer(program)
    came = noticed_after(edge, "the consumer's coming", lambda counters: counters["spectrum_is_up"] == 1)
    sent = edge.counters("/steer/services")["spectrum_sent_packets"]
    noticed_after(edge, "packets in the ring", lambda counters: counters["spectrum_sent_packets"] > sent + 100)
    first.kill()
    first.wait()
    died = noticed_after(edge, "the consumer's death", lambda counters: counters["spectrum_is_up"] == 0)
    lost = edge.counters("/steer/services")["spectrum_down_packets"]
    noticed_after(edge, "packets counted as spectrum_down", lambda c: c["spectrum_down_packets"] > lost + 100)
    return came, died


def steerd_dies(lab, program):
    """Returns the hugepage files of the instance that was killed and of the next one."""
    consumer = start_consumer(program)
    noticed_after(lab.edge, "the second consumer's coming", lambda counters: counters["spectrum_is_up"] == 1)
    before = hugepages.files()
    lab.edge.end(signal.SIGKILL)
    expect.equal("the end of the consumer of a dead steerd", consumer.wait(NOTICED_SECONDS_MAX), 0)
    said = (STATE / LOG).read_text(encoding="utf-8")
    expect.that(f"the consumer has not noticed that steerd died: {said}", "steerd has died" in said)
    lab.edge.start(**settings())
    expect.equal("hugepage files after a restart", hugepages.files(), before)


def run(lab):
    if not lab.edge.is_steerd:
        raise expect.Skip("the edge routes with its kernel: there are no rings")
    program = lab.edge.build_file("tests/e2e/ring_consumer")
    if not program.exists():
        raise expect.Skip(f"needs {program}: ninja builds it")
    lab.edge.stop()
    try:
        with hugepages.reserved(PAGES):
            try:
                lab.edge.start(**settings())
                with Trickle(), Wrk(expect.url(owned4(1))) as wrk, Ticks(owned4(3)) as ticks:
                    came, died = consumer_dies(lab, program)
                    load = wrk.result()
                steerd_dies(lab, program)
            finally:
                lab.edge.stop()
    except hugepages.NoHugepages as reason:
        raise expect.Skip(str(reason)) from None
    finally:
        lab.edge.start()
    expect.equal("failed requests to the CDN", load.failed, 0)
    expect.equal("packets to Magic Transit that arrived", ticks.received, ticks.sent)
    return (f"a consumer's coming was noticed after {came:.1f} s, its death after {died:.1f} s; {ticks.received} "
            f"packets to Magic Transit and {load.requests:,} requests to the CDN went on")
