# SPDX-License-Identifier: BSD-3-Clause
"""An edge host that steers with the kernel's routing table instead of steerd.

It knows nothing of binding rules, egress outcomes or counters, but its way through the network is
that of steerd: what fails here is wrong in the lab, not in steerd.
"""
import network
from network import link4, link6
from bindings import bindings

NEXT_HOP = {"cdn": 4, "spectrum": 5, "magic_transit": 6}  # link numbers


class KernelEdge:
    is_steerd = False

    def start(self):
        self.publish(bindings())
        network.in_host("edge", lines=[
            "rule add pref 100 iif egress lookup 202", "-6 rule add pref 100 iif egress lookup 202",
            f"route add default via {link4(6, 2)} table 202", f"-6 route add default via {link6(6, 2)} table 202"])

    def publish(self, wanted):
        """Returns when every further packet takes the new way."""
        network.in_host("edge", lines=[
            f"-6 route replace {cidr} via {link6(NEXT_HOP[service], 2)}" if ":" in cidr else
            f"route replace {cidr} via {link4(NEXT_HOP[service], 2)}" for cidr, service in wanted.items()])

    def stop(self):
        pass

    def status(self):
        return "the edge routes with its kernel"
