# SPDX-License-Identifier: BSD-3-Clause
"""A packet larger than its output's MTU is answered: the client learns the size and gets through.

The link towards Magic Transit carries 1400 bytes, the ingress link 1500.
"""
import expect
import network
import processes
from network import owned4, owned6
from processes import STATE


def run(lab):
    network.forget_paths()
    for owned, headers in ((owned4, 28), (owned6, 48)):
        done = processes.run("client", "ping", "-n", "-M", "do", "-c", 3, "-i", 0.3, "-W", 1, "-s", 1500 - headers,
                             owned(3))
        said = (done.stdout + done.stderr).lower()
        expect.that(f"a ping of 1500 bytes to {owned(3)} was not answered with an MTU of 1400: {said}",
                    "mtu = 1400" in said or "mtu=1400" in said)
        expect.ping("client", owned(3), "-M", "do", "-s", 1400 - headers)
    network.forget_paths()
    for owned in (owned4, owned6):
        answer = expect.fetch("client", expect.url(owned(3), "/upload"), "--data-binary", f"@{STATE}/large")
        expect.equal(f"the answer to an upload to {owned(3)}", answer, "taken\n")
    return "the client was told 1400 bytes, and uploads get through"
