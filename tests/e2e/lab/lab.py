# SPDX-License-Identifier: BSD-3-Clause
"""The lab as a whole: up, down, and what may be left behind."""
import fcntl
import json
import os
import shutil
import subprocess
from pathlib import Path

import network
import processes
import services
from kernel_edge import KernelEdge
from processes import STATE

HUGEPAGES = Path("/dev/hugepages")
TOOLS = ("ip", "ethtool", "ping", "curl", "ss", "wrk", "nginx", "haproxy")
_LOCK = Path("/run/steer-lab.lock")


class Lab:
    def __init__(self, edge):
        self.edge = edge


def only_one():
    """Held until the program ends: two that build and remove one lab would remove each other's."""
    lock = os.open(_LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RuntimeError("another script/lab is at work; wait until it has ended") from None
    return lock


def cannot_run(settings):
    """Why there can be no such lab here, or an empty text."""
    if os.geteuid() != 0:
        return "needs root: namespaces and links are made"
    if missing := [tool for tool in TOOLS if not shutil.which(tool)]:
        return f"needs {', '.join(missing)}: run script/setup"
    trial = network.namespace("trial")
    made = subprocess.run(["ip", "netns", "add", trial], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        return f"needs network namespaces: {made.stderr.strip()}"
    veth = subprocess.run(["ip", "-n", trial, "link", "add", "one", "type", "veth", "peer", "name", "two"],
                          capture_output=True, text=True, check=False)
    subprocess.run(["ip", "netns", "delete", trial], check=False)
    return f"needs veth: {veth.stderr.strip()}" if veth.returncode != 0 else ""


def replace_by(command):
    """This program becomes another one."""
    os.execvp(command[0], command)


def last_words(lines=15):
    """The ends of what the lab's programs said."""
    ends = []
    for log in sorted(STATE.glob("*.log")):
        if said := log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]:
            ends.append("\n".join([f"--- {log.name}", *said]))
    return "\n".join(ends)


def is_up():
    return (STATE / "lab.json").exists()


def _edge_of(settings):
    return KernelEdge()


def up(settings):
    """Builds the lab; what fails half-way is removed again."""
    STATE.mkdir(mode=0o755)
    try:
        network.build()
        services.start()
        edge = _edge_of(settings)
        edge.start()
        (STATE / "lab.json").write_text(json.dumps(settings), encoding="utf-8")
        return Lab(edge)
    except BaseException:
        down()
        raise


def running():
    """The lab that `up` built earlier, perhaps in another process."""
    return Lab(_edge_of(json.loads((STATE / "lab.json").read_text(encoding="utf-8"))))


def down():
    """Removes everything, however much of it there is. Returns what there was."""
    hosts = network.existing()
    pids = [pid for host in hosts for pid in processes.pids(host)]
    processes.end(pids)
    network.remove()
    had_state = STATE.exists()
    shutil.rmtree(STATE, ignore_errors=True)
    return f"{len(hosts)} hosts, {len(pids)} processes" if hosts or had_state else ""


def traces():
    """What there is of a lab on this machine."""
    found = [f"namespace {network.namespace(host)}" for host in network.existing()]
    if STATE.exists():
        found.append(str(STATE))
    return found
