# SPDX-License-Identifier: BSD-3-Clause
"""Packets that say when they were sent, from the client to the second address, received by both services.

A receiver is a UDP socket bound to that address on the CDN host, and another one on the Spectrum
host: a packet counts where it arrives at its end, not where it was last seen.
"""
import os
import selectors
import socket
import struct
import threading
import time

import processes
from network import owned4, owned6

SERVICES = ("cdn", "spectrum")
_STAMP_PORT, _STREAM_PORT = 7777, 7778
_PAYLOAD = struct.Struct("!II")
_BUFFER_BYTES = 8 << 20


def _receivers(port):
    """(socket, service): one for each address family and service."""
    made = []
    for service in SERVICES:
        for address in (owned4(2), owned6(2)):
            udp = processes.socket_in(service, processes.family_of(address), socket.SOCK_DGRAM)
            udp.setsockopt(socket.SOL_SOCKET, 33, _BUFFER_BYTES)  # SO_RCVBUFFORCE
            udp.bind((address, port))
            udp.setblocking(False)
            made.append((udp, service))
    return made


def _senders(port):
    made = []
    for address in (owned4(2), owned6(2)):
        udp = processes.socket_in("client", processes.family_of(address), socket.SOCK_DGRAM)
        udp.connect((address, port))
        made.append(udp)
    return made


class Stamps:
    """Rounds of packets: send a round, learn where each of its packets arrived."""

    def __init__(self):
        self._receivers = _receivers(_STAMP_PORT)
        self._senders = _senders(_STAMP_PORT)
        self._selector = selectors.DefaultSelector()
        for udp, service in self._receivers:
            self._selector.register(udp, selectors.EVENT_READ, service)
        self._round = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._selector.close()
        for udp in (*self._senders, *(udp for udp, _ in self._receivers)):
            udp.close()

    def round_trip(self, packets=4, patience=1.0):
        """Sends `packets` packets by IPv4 and as many by IPv6, all of this round, and waits until all of
        them have arrived. Returns how many arrived at which service, and of earlier rounds as `late`."""
        self._round += 1
        for number in range(packets):
            for udp in self._senders:
                udp.send(_PAYLOAD.pack(self._round, number))
        arrived = dict.fromkeys((*SERVICES, "late"), 0)
        expected = packets * len(self._senders)
        deadline = time.monotonic() + patience
        while sum(arrived[service] for service in SERVICES) < expected and time.monotonic() < deadline:
            for key, _ in self._selector.select(timeout=0.1):
                number_of_round, _ = _PAYLOAD.unpack(key.fileobj.recv(64))
                arrived[key.data if number_of_round == self._round else "late"] += 1
        return arrived


class Stream(threading.Thread):
    """Numbered packets all the time, whatever is being published: each has to arrive exactly once, at
    either service, and at each service in the order in which they were sent."""

    def __init__(self, packets_per_second=1000):
        super().__init__()
        self._interval = 1 / packets_per_second
        self._receivers = _receivers(_STREAM_PORT)
        self._senders = _senders(_STREAM_PORT)
        self._selector = selectors.DefaultSelector()
        for index, (udp, _) in enumerate(self._receivers):
            self._selector.register(udp, selectors.EVENT_READ, index)
        self._last = [-1] * len(self._receivers)
        self._seen = [set(), set()]  # by family
        self._ended = threading.Event()
        self.sent = 0
        self.duplicates = 0
        self.reordered = 0

    @property
    def lost(self):
        return 2 * self.sent - sum(map(len, self._seen))

    def _collect(self, timeout):
        for key, _ in self._selector.select(timeout=max(timeout, 0)):
            try:
                while True:
                    number, _ = _PAYLOAD.unpack(key.fileobj.recv(64))
                    seen = self._seen[key.fileobj.family == socket.AF_INET6]
                    self.duplicates += number in seen
                    self.reordered += number < self._last[key.data]
                    seen.add(number)
                    self._last[key.data] = number
            except BlockingIOError:
                pass

    def run(self):
        next_time = time.monotonic()
        while not self._ended.is_set():
            for udp in self._senders:
                udp.send(_PAYLOAD.pack(self.sent, 0))
            self.sent += 1
            next_time = max(next_time + self._interval, time.monotonic() - 0.1)
            while (left := next_time - time.monotonic()) > 0:
                self._collect(left)
        deadline = time.monotonic() + 1
        while self.lost and time.monotonic() < deadline:
            self._collect(0.1)

    def stop(self):
        self._ended.set()
        self.join()
        self._selector.close()
        for udp in (*self._senders, *(udp for udp, _ in self._receivers)):
            udp.close()


class Ticks(threading.Thread):
    """A packet every millisecond from the client to an address of the origin: when does none arrive?"""

    def __init__(self, address, interval=0.001):
        super().__init__()
        self._interval = interval
        family = processes.family_of(address)
        self._receiver = processes.socket_in("origin", family, socket.SOCK_DGRAM)
        self._receiver.bind((address, _STREAM_PORT))
        self._receiver.settimeout(0.1)
        self._sender = processes.socket_in("client", family, socket.SOCK_DGRAM)
        self._sender.connect((address, _STREAM_PORT))
        self._arrivals = []
        self._ended = threading.Event()
        self.sent = 0

    @staticmethod
    def _hurry():
        # This thread's, so that what it measures is not its own waiting for a CPU.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), -15)

    def _receive(self):
        self._hurry()
        while not self._ended.is_set():
            try:
                self._receiver.recv(64)
                self._arrivals.append(time.monotonic())
            except TimeoutError:
                pass

    def run(self):
        self._hurry()
        receiver = threading.Thread(target=self._receive)
        receiver.start()
        while not self._ended.wait(self._interval):
            try:
                self._sender.send(b"tick")
                self.sent += 1
            except OSError:
                pass  # an ICMP error for an earlier one
        receiver.join()

    @property
    def received(self):
        return len(self._arrivals)

    def longest_silence(self, since):
        """In seconds, between `since` and now."""
        times = [since, *(moment for moment in self._arrivals if moment > since), time.monotonic()]
        return max(after - before for before, after in zip(times, times[1:]))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        time.sleep(0.05)
        self._ended.set()
        self.join()
        self._receiver.close()
        self._sender.close()
