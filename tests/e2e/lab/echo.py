#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""echo.py PROTOCOL ADDRESS PORT [PROTOCOL ADDRESS PORT...]: answers with what it is sent, by tcp or udp.

A datagram that reads `size N` is answered with N bytes. Each socket is bound to its address, so that
an answer comes from the address that was asked.
"""
import selectors
import socket
import sys

DATAGRAM_BYTES_MAX = 65507


def listen(protocol, address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    opened.bind((address, int(port)))
    if protocol == "tcp":
        opened.listen(128)
    return opened


def answer_datagram(udp):
    try:
        data, sender = udp.recvfrom(DATAGRAM_BYTES_MAX)
        words = data.split()
        if len(words) == 2 and words[0] == b"size" and words[1].isdigit():
            data = b"x" * min(int(words[1]), DATAGRAM_BYTES_MAX)
        udp.sendto(data, sender)
    except OSError:
        pass  # an ICMP error for an earlier answer: the sender asks again


def answer_stream(selector, tcp):
    try:
        data = tcp.recv(65536)
        if data:
            tcp.sendall(data)
            return
    except OSError:
        pass  # reset by the other side
    selector.unregister(tcp)
    tcp.close()


def accept(selector, listener):
    tcp, _ = listener.accept()
    selector.register(tcp, selectors.EVENT_READ, lambda: answer_stream(selector, tcp))


def main():
    words = sys.argv[1:]
    if not words or len(words) % 3:
        sys.exit(__doc__)
    selector = selectors.DefaultSelector()
    for protocol, address, port in zip(words[::3], words[1::3], words[2::3]):
        opened = listen(protocol, address, port)
        if protocol == "tcp":
            selector.register(opened, selectors.EVENT_READ, lambda opened=opened: accept(selector, opened))
        else:
            selector.register(opened, selectors.EVENT_READ, lambda opened=opened: answer_datagram(opened))
    while True:
        for key, _ in selector.select():
            key.data()


if __name__ == "__main__":
    main()
