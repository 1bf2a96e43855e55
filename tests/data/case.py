# SPDX-License-Identifier: BSD-3-Clause
"""The form of an expectation, and the hosts of captures/bindings.json that most packets go to."""
from dataclasses import dataclass
from typing import Optional, Union

from packets import Host, Record

# One host for each service that lies in a prefix of Magic Transit; and addresses without a binding.
MT4 = Host("203.0.113.3", "203.0.113.0/24")
CDN4 = Host("203.0.113.1", "203.0.113.1/32")
SPE4 = Host("203.0.113.2", "203.0.113.2/32")
OUT4 = Host("192.0.2.1", "-")
MT6 = Host("2001:db8:113::3", "2001:db8:113::/48")
CDN6 = Host("2001:db8:113::1", "2001:db8:113::1/128")
SPE6 = Host("2001:db8:113::2", "2001:db8:113::2/128")
OUT6 = Host("2001:db8:bad::1", "-")
# For packets whose destination is never read.
NOWHERE = Host("-", "-")


@dataclass(frozen=True)
class Case:
    """One packet and what must become of it. The words of an expectation:

    cdn, spectrum, magic_transit   the service of the longest match takes it (reason `bound`)
    not_accepted, egress           it flows through Magic Transit, for this reason
    anything else                  it is dropped, for this reason
    """

    description: str
    packet: Union[bytes, Record]
    host: Host
    any: str  # ingress, cdn-accept any and spectrum-accept any
    narrow: str  # ingress, cdn-accept http and spectrum-accept tcp-udp
    egress: str
    checksum: Optional[str] = None  # both directions, verify-checksum on; None: no difference
    inside_prefix: bool = False  # without a binding, and yet inside a prefix (a pending one)

    def record(self):
        whole = isinstance(self.packet, Record)
        return self.packet if whole else Record(self.packet, len(self.packet))


def cases(*rows):
    return [Case(*row) if isinstance(row, tuple) else row for row in rows]


def dropped(description, packet, reason, host=NOWHERE):
    """Dropped for one reason, whatever the direction and the settings."""
    return Case(description, packet, host, reason, reason, reason)
