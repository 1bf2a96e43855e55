# SPDX-License-Identifier: BSD-3-Clause
"""The client reaches the CDN, Spectrum and Magic Transit, by IPv4 and IPv6."""
import expect
from network import owned4, owned6
from services import ECHO_PORT


def run(lab):
    for owned in (owned4, owned6):
        # nginx says who it is, and that it sees the client's own address.
        body = expect.fetch("client", expect.url(owned(1)))
        expect.equal(f"the page of {owned(1)}", body.split()[0], "cdn")
        expect.tcp_echo("client", owned(2), ECHO_PORT)
        expect.udp_echo("client", owned(2), ECHO_PORT)
        expect.ping("client", owned(3))
        expect.equal(f"the page of {owned(3)}", expect.fetch("client", expect.url(owned(3))).split()[0], "origin")
        # haproxy passes HTTP on to the origin that stands behind Magic Transit.
        expect.equal(f"the page of {owned(2)}", expect.fetch("client", expect.url(owned(2))).split()[0], "origin")
    return "nginx, haproxy, a UDP service and the origin answer"
