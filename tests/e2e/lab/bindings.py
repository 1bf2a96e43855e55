# SPDX-License-Identifier: BSD-3-Clause
"""The lab's bindings: who serves which address of the prefixes; the rest of them is Magic Transit's."""
import network

DEFAULT = {network.PREFIX4: "magic_transit", network.PREFIX6: "magic_transit"}


def bindings(second="spectrum"):
    """CIDR -> service. The prefixes' second address is the one that moves."""
    return DEFAULT | {
        network.owned4(1) + "/32": "cdn", network.owned6(1) + "/128": "cdn",
        network.owned4(2) + "/32": second, network.owned6(2) + "/128": second,
    }


def as_file(wanted):
    """The same as the content of a bindings file."""
    prefixes = []
    for prefix in DEFAULT:
        same_family = [cidr for cidr in wanted if (":" in cidr) == (":" in prefix) and cidr != prefix]
        prefixes.append({"cidr": prefix, "service": wanted[prefix],
                         "bindings": [{"cidr": cidr, "service": wanted[cidr]} for cidr in same_family]})
    return {"prefixes": prefixes}
