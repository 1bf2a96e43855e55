# SPDX-License-Identifier: BSD-3-Clause
"""The lab's Internet: which hosts there are, how they are linked, and who routes what where.

Every link is a veth pair with one queue each way (a second queue would have no AF_XDP socket) and
without offloads (a frame that skips the receiving stack must carry its checksum). Link number N has
the networks 198.18.N.0/24 and 2001:db8:N::/64; the near end is .1 and ::1, the far end .2 and ::2.
"""
import subprocess
from dataclasses import dataclass

PREFIX4, PREFIX6 = "203.0.113.0/24", "2001:db8:113::/48"

# With `rewrite none` a frame leaves as it came: addressed to the edge's ingress or egress port. The
# CDN host answers to that address too, so that nothing needs to be rewritten on the way to it.
EDGE_MAC = "02:00:00:00:03:02"

HOSTS = ("client", "mobile", "router", "edge", "cdn", "spectrum", "magic", "origin")
FORWARDING = ("router", "edge", "magic")


@dataclass(frozen=True)
class End:
    host: str
    name: str
    mtu: int = 1500
    mac: str = ""


@dataclass(frozen=True)
class Link:
    number: int
    near: End
    far: End


LINKS = (
    Link(1, End("router", "client"), End("client", "uplink")),
    # The narrow place for path-MTU discovery: only the router knows of it.
    Link(2, End("router", "mobile", mtu=1300), End("mobile", "uplink")),
    Link(3, End("router", "edge"), End("edge", "ingress", mac=EDGE_MAC)),
    Link(4, End("edge", "cdn"), End("cdn", "edge", mac=EDGE_MAC)),
    Link(5, End("edge", "spectrum"), End("spectrum", "edge")),
    # Narrower than the ingress link: what does not fit has to be answered by the edge.
    Link(6, End("edge", "magic", mtu=1400), End("magic", "edge", mtu=1400)),
    Link(7, End("edge", "egress", mac=EDGE_MAC), End("cdn", "egress")),
    Link(8, End("router", "cdn"), End("cdn", "uplink")),
    Link(9, End("router", "spectrum"), End("spectrum", "uplink")),
    Link(10, End("router", "magic"), End("magic", "uplink")),
    Link(11, End("magic", "origin"), End("origin", "uplink")),
)
EGRESS = 7

# Addresses of the prefixes that a host owns. Answers go straight to the router, not through the edge.
OWNED = {"cdn": (1, 2), "spectrum": (1, 2), "origin": (1, 3)}


def owned4(host_part):
    return f"203.0.113.{host_part}"


def owned6(host_part):
    return f"2001:db8:113::{host_part}"


def link4(number, side):
    return f"198.18.{number}.{side}"


def link6(number, side):
    return f"2001:db8:{number}::{side}"


def namespace(host):
    return f"steer-lab-{host}"


def mac_of(end, number, side):
    return end.mac or f"02:00:00:00:{number:02x}:{side:02x}"


def address(host, name, family=4):
    """The address of a host's interface on its link."""
    for link in LINKS:
        for side, end in ((1, link.near), (2, link.far)):
            if (end.host, end.name) == (host, name):
                return link4(link.number, side) if family == 4 else link6(link.number, side)
    raise KeyError(f"{host} has no interface {name}")


def ip(*arguments, lines=None):
    """Runs ip(8), with `lines` as its batch. A batch has one family: lines that start with -6 come last."""
    if lines is not None:
        for family in ("-4", "-6"):
            batch = [line.removeprefix("-6 ") for line in lines if line.startswith("-6 ") == (family == "-6")]
            if batch:
                _run_ip([*arguments, *(["-6"] if family == "-6" else []), "-batch", "-"], "\n".join(batch))
        return ""
    return _run_ip(arguments, "")


def _run_ip(arguments, batch):
    done = subprocess.run(["ip", *arguments], input=batch, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"ip {' '.join(arguments)}: {done.stderr.strip()}" + (f"\n{batch}" if batch else ""))
    return done.stdout


def in_host(host, *arguments, lines=None):
    return ip("-n", namespace(host), *arguments, lines=lines)


def existing():
    """The lab's namespaces that exist."""
    names = {line.split()[0] for line in ip("netns", "list").splitlines() if line}
    return [host for host in HOSTS if namespace(host) in names]


def _sysctl(host):
    forwarding = int(host in FORWARDING)
    values = {
        "net.ipv4.ip_forward": forwarding, "net.ipv6.conf.all.forwarding": forwarding,
        # Replies take another way than requests did.
        "net.ipv4.conf.all.rp_filter": 0, "net.ipv4.conf.default.rp_filter": 0,
        # Nobody else has these addresses, and waiting to be sure costs seconds.
        "net.ipv6.conf.all.accept_dad": 0, "net.ipv6.conf.default.accept_dad": 0,
        "net.ipv4.ping_group_range": "0 2147483647",
    }
    for name, value in values.items():
        path = "/proc/sys/" + name.replace(".", "/")
        yield f"echo {value} > {path}"


def _add_hosts():
    ip(lines=[f"netns add {namespace(host)}" for host in HOSTS])
    for host in HOSTS:
        subprocess.run(["ip", "netns", "exec", namespace(host), "sh", "-ec", "\n".join(_sysctl(host))], check=True)
        in_host(host, lines=["link set lo up"])


def _add_links():
    queues = "numtxqueues 1 numrxqueues 1"
    for link in LINKS:
        near, far, number = link.near, link.far, link.number
        in_host(near.host, lines=[
            f"link add {near.name} mtu {near.mtu} address {mac_of(near, number, 1)} {queues} type veth "
            f"peer name {far.name} mtu {far.mtu} address {mac_of(far, number, 2)} {queues} "
            f"netns {namespace(far.host)}"])
        for side, end in ((1, near), (2, far)):
            subprocess.run(["ip", "netns", "exec", namespace(end.host), "ethtool", "-K", end.name, "tx", "off",
                            "rx", "off", "gro", "off", "gso", "off", "tso", "off"], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            in_host(end.host, lines=[
                f"address add {link4(number, side)}/24 dev {end.name}",
                f"address add {link6(number, side)}/64 dev {end.name} nodad",
                f"link set {end.name} up"])


def _add_routes():
    for host, name in (("client", "uplink"), ("mobile", "uplink"), ("edge", "ingress"), ("cdn", "uplink"),
                       ("spectrum", "uplink"), ("magic", "uplink"), ("origin", "uplink")):
        number = next(link.number for link in LINKS if End(host, name, mac=link.far.mac) == link.far)
        in_host(host, lines=[f"route add default via {link4(number, 1)}",
                             f"-6 route add default via {link6(number, 1)}"])
    in_host("router", lines=[
        *(f"route add {network} via {link4(3, 2)}" for network in (PREFIX4, link4(EGRESS, 0) + "/24")),
        *(f"-6 route add {network} via {link6(3, 2)}" for network in (PREFIX6, link6(EGRESS, 0) + "/64")),
        f"route add {link4(11, 0)}/24 via {link4(10, 2)}",
        f"-6 route add {link6(11, 0)}/64 via {link6(10, 2)}"])
    in_host("magic", lines=[f"route add {PREFIX4} via {link4(11, 2)}", f"-6 route add {PREFIX6} via {link6(11, 2)}"])
    for host, parts in OWNED.items():
        in_host(host, lines=[f"address add {owned4(part)}/32 dev lo" for part in parts] +
                [f"address add {owned6(part)}/128 dev lo nodad" for part in parts])
    # The CDN host owns 203.0.113.1 for packets that arrive, yet its own requests to 203.0.113.1 leave
    # by the egress link: a rule for what starts here, before the table of local addresses.
    in_host("cdn", lines=[
        f"route add {PREFIX4} via {link4(EGRESS, 1)} table 201",
        f"rule add pref 5 iif lo to {PREFIX4} lookup 201",
        "rule add pref 10 lookup local", "rule delete pref 0",
        f"-6 route add {PREFIX6} via {link6(EGRESS, 1)} src {link6(EGRESS, 2)} table 201",
        f"-6 rule add pref 5 iif lo to {PREFIX6} lookup 201",
        "-6 rule add pref 10 lookup local", "-6 rule delete pref 0"])


def build():
    _add_hosts()
    _add_links()
    _add_routes()


def remove():
    for host in existing():
        ip("netns", "delete", namespace(host))


def forget_paths():
    """Forgets what the hosts have learned about path MTUs."""
    for host in HOSTS:
        in_host(host, "route", "flush", "cache")
        in_host(host, "-6", "route", "flush", "cache")
        in_host(host, "tcp_metrics", "flush")
