# SPDX-License-Identifier: BSD-3-Clause
"""The edge's own TCP service, as its operator sees it: asked all the time, over old and new connections."""
import itertools
import threading
import time

import processes
from network import address
from services import OWN_PORT


class Probe(threading.Thread):
    """A failure is a connection that cannot be made, breaks, or does not answer within `patience`."""

    def __init__(self, interval=0.01, patience=3.0):
        super().__init__()
        self._interval = interval
        self._patience = patience
        self._ended = threading.Event()
        self.answers = 0
        self.failures = []
        self.slowest = 0.0

    def _ask(self, tcp):
        before = time.monotonic()
        tcp.sendall(b"are you there?")
        processes.receive_exactly(tcp, 14)
        self.answers += 1
        self.slowest = max(self.slowest, time.monotonic() - before)

    def run(self):
        where = [address("edge", "ingress", family) for family in (4, 6)]
        lasting = [processes.connect("client", to, OWN_PORT, self._patience) for to in where]
        for family in itertools.cycle((0, 1)):
            if self._ended.wait(self._interval):
                break
            try:
                self._ask(lasting[family])
                before = time.monotonic()
                with processes.connect("client", where[family], OWN_PORT, self._patience) as tcp:
                    self.slowest = max(self.slowest, time.monotonic() - before)
                    self._ask(tcp)
            except OSError as error:
                self.failures.append(f"{where[family]}: {error or type(error).__name__}")
                if len(self.failures) > 20:
                    break
        for tcp in lasting:
            tcp.close()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self.join()
