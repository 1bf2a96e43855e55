# SPDX-License-Identifier: BSD-3-Clause
"""What scenarios say of what they see."""
import re
import socket

import processes


class Failure(Exception):
    """What was seen is not what has to be."""


class Skip(Exception):
    """The scenario cannot run here; why."""


def equal(what, seen, wanted):
    if seen != wanted:
        raise Failure(f"{what}: {seen!r}, not {wanted!r}")


def that(what, truth):
    if not truth:
        raise Failure(what)


def url(address, path="/"):
    return f"http://[{address}]{path}" if ":" in address else f"http://{address}{path}"


def fetch(host, where, *options, seconds=10):
    """The body that curl gets."""
    done = processes.run(host, "curl", "-sS", "-g", "--noproxy", "*", "-m", seconds, *options, where,
                         timeout=seconds + 5)
    if done.returncode != 0:
        raise Failure(f"{host} cannot fetch {where}: {done.stderr.strip()}")
    return done.stdout


def fetch_bytes(host, where, *options, seconds=15):
    """The size of the body and the seconds that it took."""
    words = fetch(host, where, "-o", "/dev/null", "-w", "%{size_download} %{time_total}", *options,
                  seconds=seconds).split()
    return int(words[0]), float(words[1])


def tcp_echo(host, address, port, data=b"over TCP"):
    try:
        with processes.connect(host, address, port) as tcp:
            tcp.sendall(data)
            equal(f"the TCP echo of {address} to {host}", processes.receive_exactly(tcp, len(data)), data)
    except OSError as error:
        raise Failure(f"{host} to {address}, TCP port {port}: {error}") from None


def udp_echo(host, address, port, data=b"over UDP", tries=3):
    """Returns the answer's length."""
    with processes.socket_in(host, processes.family_of(address), socket.SOCK_DGRAM) as udp:
        udp.settimeout(1)
        udp.connect((address, port))
        for _ in range(tries):
            udp.send(data)
            try:
                answer = udp.recv(65536)
            except TimeoutError:
                continue
            except OSError as error:
                raise Failure(f"{host} to {address}, UDP port {port}: {error}") from None
            if not data.startswith(b"size"):
                equal(f"the UDP echo of {address} to {host}", answer, data)
            return len(answer)
    raise Failure(f"{host} to {address}, UDP port {port}: no answer to {tries} datagrams")


def ping(host, address, *options, count=3, interval=0.05):
    """Every one has to be answered."""
    done = processes.run(host, "ping", "-n", "-c", count, "-i", interval, "-W", 1, *options, address)
    found = re.search(r"(\d+) packets transmitted, (\d+) received", done.stdout)
    if not found or found.group(1) != found.group(2):
        raise Failure(f"{host} pings {address}: {done.stdout.strip().splitlines()[-1:]} {done.stderr.strip()}")


def returns(host, address, tries=3):
    """Pings get through again, three in a row."""
    for number in range(1, tries + 1):
        try:
            ping(host, address)
            return
        except Failure:
            if number == tries:
                raise
