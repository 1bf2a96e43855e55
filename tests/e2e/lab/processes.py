# SPDX-License-Identifier: BSD-3-Clause
"""Programs and sockets inside the lab's hosts."""
import ctypes
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import network

STATE = Path("/run/steer-lab")

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def command_in(host, *command):
    return ["ip", "netns", "exec", network.namespace(host), *map(str, command)]


def run(host, *command, timeout=30):
    """Runs a program to its end. Returns its CompletedProcess; a status other than 0 is no error here."""
    return subprocess.run(command_in(host, *command), capture_output=True, text=True, timeout=timeout, check=False)


def start(host, *command, log):
    """Starts a program that goes on when this one has ended; what it prints goes to a file in STATE."""
    with open(STATE / log, "ab") as out:
        return subprocess.Popen(command_in(host, *command), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                start_new_session=True)


def pids(host):
    return [int(word) for word in network.ip("netns", "pids", network.namespace(host)).split()]


def _is_alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def end(wanted, seconds=3):
    """Ends processes by their ids: SIGTERM first, SIGKILL for what is still there after a while."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in filter(_is_alive, wanted):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
        deadline = time.monotonic() + seconds
        while any(map(_is_alive, wanted)) and time.monotonic() < deadline:
            time.sleep(0.02)


def socket_in(host, family, kind):
    """A socket stays in the network namespace in which it was made: a thread goes there to make it."""
    made = []

    def make():
        with open(f"/run/netns/{network.namespace(host)}", "rb") as there:
            if _libc.setns(there.fileno(), _CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        made.append(socket.socket(family, kind))

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    return made[0]


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def connect(host, address, port, timeout=2.0):
    """A TCP connection from a host of the lab."""
    tcp = socket_in(host, family_of(address), socket.SOCK_STREAM)
    tcp.settimeout(timeout)
    tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        tcp.connect((address, port))
    except OSError:
        tcp.close()
        raise
    return tcp


def receive_exactly(tcp, length):
    data = b""
    while len(data) < length:
        part = tcp.recv(length - len(data))
        if not part:
            raise ConnectionError(f"closed after {len(data)} of {length} bytes")
        data += part
    return data


def wait_for(what, condition, seconds=10.0):
    """Waits until condition() is true; what it raises as OSError counts as not yet."""
    deadline = time.monotonic() + seconds
    problem = None
    while True:
        try:
            if result := condition():
                return result
        except OSError as error:
            problem = error
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:g} s" + (f" ({problem})" if problem else ""))
        time.sleep(0.01)
