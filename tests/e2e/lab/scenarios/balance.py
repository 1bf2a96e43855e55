# SPDX-License-Identifier: BSD-3-Clause
"""What the ports received is what the XDP program, the workers and the drop counters account for."""
import time

import expect
from load import Wrk
from network import owned4
from stamps import Stream


def settled(edge):
    """The balance once nothing is under way any more, and the port's counters with it."""
    before = None
    for _ in range(50):
        balance = edge.counters("/steer/balance")
        if balance == before:
            return balance
        before = balance
        time.sleep(0.1)
    raise expect.Failure(f"the balance does not come to rest: {before}")


def run(lab):
    if not lab.edge.is_steerd:
        raise expect.Skip("the edge routes with its kernel: it does not count")
    expect.equal("the mode of the XDP program", lab.edge.counters("/steer/ports,ingress")["xdp_mode"], "native")
    before = lab.edge.counters("/steer/services")
    stream = Stream()
    with Wrk(expect.url(owned4(1))) as wrk:
        stream.start()
        time.sleep(1)
        stream.stop()
        wrk.result()
    expect.equal("packets of the stream that were lost", stream.lost, 0)
    balance = settled(lab.edge)
    after = lab.edge.counters("/steer/services")
    expect.equal("outcomes of the received packets", balance["outcomes"], balance["received"])
    expect.equal("packets that the XDP programs gave to workers: received, missed, without buffer",
                 balance["received"] + balance["missed"] + balance["no_buffer"], balance["xdp_taken"])
    expect.equal("packets sent to Spectrum", after["spectrum_sent_packets"] - before["spectrum_sent_packets"],
                 2 * stream.sent)
    expect.that("nothing was sent to the CDN", after["cdn_sent_packets"] > before["cdn_sent_packets"])
    return f"{balance}"
