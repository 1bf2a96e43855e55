# SPDX-License-Identifier: BSD-3-Clause
"""nginx fetches from its origin at its own address, 203.0.113.1, over egress: Magic Transit takes it there."""
import expect
from network import address, owned4, owned6


def run(lab):
    for owned, family in ((owned4, 4), (owned6, 6)):
        body = expect.fetch("client", expect.url(owned(1), f"/origin{family}"))
        expect.equal(f"what {owned(1)} fetched from {owned(1)}", body.split(),
                     ["origin", address("cdn", "egress", family)])
    return "the origin answered, not the proxy itself"
