# SPDX-License-Identifier: BSD-3-Clause
"""The lab as a whole: up, down, and what may be left behind."""
import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

import hugepages
import network
import processes
import services
import steerd_edge
import telemetry
from kernel_edge import KernelEdge
from processes import STATE
from steerd_edge import SteerdEdge

TOOLS = ("ip", "ethtool", "ping", "curl", "ss", "wrk", "nginx", "haproxy")
_AF_XDP = 44


class Lab:
    def __init__(self, edge):
        self.edge = edge


def only_one():
    """Two that build and remove one lab would remove each other's. Keep what this returns until the end."""
    name = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        name.bind("\0steer-lab")  # no file: it goes with the process
    except OSError:
        raise RuntimeError("another script/lab is at work; wait until it has ended") from None
    return name


def need_root():
    if os.geteuid() != 0:
        raise RuntimeError("needs root")


def cannot_run(settings):
    """Why there can be no such lab here, or an empty text."""
    if os.geteuid() != 0:
        return "needs root: namespaces and links are made"
    if missing := [tool for tool in TOOLS if not shutil.which(tool)]:
        return f"needs {', '.join(missing)}: run script/setup"
    if settings["edge"] == "steerd":
        if not os.access(settings["steerd"], os.X_OK):
            raise RuntimeError(f"there is no program {settings['steerd']}: build it, or name another with --steerd")
        try:
            socket.socket(_AF_XDP, socket.SOCK_RAW).close()
        except OSError as error:
            return f"needs AF_XDP sockets: {error.strerror}"
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
    """Whether there is a lab to play with. What a killed `test` left behind is none."""
    path = STATE / "lab.json"
    return path.exists() and not json.loads(path.read_text(encoding="utf-8")).get("is_temporary")


def _edge_of(settings):
    return SteerdEdge(settings["steerd"]) if settings["edge"] == "steerd" else KernelEdge()


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
    hugepages.give_back()
    had_state = STATE.exists()
    shutil.rmtree(STATE, ignore_errors=True)
    for path in _dpdk_files():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return f"{len(hosts)} hosts, {len(pids)} processes" if hosts or had_state else ""


def _dpdk_files():
    """DPDK leaves its files behind however it ends: the runtime directory, and hugepages with their memory."""
    directory = telemetry.DIRECTORY / steerd_edge.FILE_PREFIX
    files = [directory] if directory.exists() else []
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        _, mounted, kind, *_ = line.split()
        if kind == "hugetlbfs":
            files += Path(mounted).glob(f"{steerd_edge.FILE_PREFIX}map_*")
    return files


def traces():
    """What there is of a lab on this machine."""
    found = [f"namespace {network.namespace(host)}" for host in network.existing()]
    if STATE.exists():
        found.append(str(STATE))
    return found + [str(path) for path in _dpdk_files()]
