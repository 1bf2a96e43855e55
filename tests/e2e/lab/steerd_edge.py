# SPDX-License-Identifier: BSD-3-Clause
"""The edge host with steerd on its ports."""
import json
import os
import re
import signal
import time
from pathlib import Path

import network
import processes
import telemetry
from bindings import as_file, bindings
from processes import STATE

FILE_PREFIX = "steer-lab"
RUN_DIRECTORY = STATE / "run"
CONFIG, BINDINGS, LOG = STATE / "steerd.conf", STATE / "bindings.json", STATE / "steerd.log"
PORTS = {"ingress": "ingress", "egress": "egress", "cdn": "none", "spectrum": "none", "magic": "none"}  # and roles


def next_hop(host):
    """The MAC address of a service's host on its link with the edge."""
    link = next(link for link in network.LINKS if (link.far.host, link.far.name) == (host, "edge"))
    return network.mac_of(link.far, link.number, 2)


def settings(**instead):
    """Lines of the configuration. `instead` gives further lines, or others of the same name; "" leaves one out."""
    wanted = {f"{name}_port": f"port = {name} interface={name} role={role}" for name, role in PORTS.items()} | {
        "cdn_output": "output = cdn port=cdn rewrite=none",
        "spectrum_output": f"output = spectrum port=spectrum rewrite=ethernet next-hop={next_hop('spectrum')}",
        "magic_output": "output = magic_transit port=magic rewrite=ethernet "
                        f"next-hop={network.address('magic', 'edge')}",
        "bindings": f"bindings = {BINDINGS}",
        "idle": "idle = sleep",  # two cores carry all of the lab
        "file_prefix": f"file-prefix = {FILE_PREFIX}",
        "run_directory": f"run-directory = {RUN_DIRECTORY}",
    } | instead
    return "".join(line + "\n" for line in wanted.values() if line)


class SteerdEdge:
    is_steerd = True

    def __init__(self, program):
        self._program = program
        self._process = None  # of this program; None: `up` started it in another one

    def build_file(self, path):
        """Another program of the build that steerd comes from."""
        return Path(self._program).resolve().parents[2] / path

    def start(self, **instead):
        """Starts steerd, and returns when it is ready. `instead`: see settings()."""
        for family, prefix in (("-4", network.PREFIX4), ("-6", network.PREFIX6)):
            # Without steerd the prefixes go nowhere; by the default route they would come back.
            network.in_host("edge", family, "route", "replace", "blackhole", prefix)
        RUN_DIRECTORY.mkdir(exist_ok=True)
        self._write(bindings())
        CONFIG.write_text(settings(**instead), encoding="utf-8")
        # A next hop that the kernel does not know yet costs the first packets.
        processes.run("edge", "ping", "-c", 1, "-W", 1, network.address("magic", "edge"))
        before = self._log_bytes()
        # A data plane goes before what else its host does.
        self._process = processes.start("edge", "nice", "-n", "-10", self._program, "--config", CONFIG, log=LOG.name)
        processes.wait_for("steerd", lambda: self._has_started(before), seconds=30)

    def _has_started(self, before):
        said = self._log(before)
        if self._process.poll() is not None:
            raise RuntimeError(f"steerd ended with status {self._process.returncode}: {said.strip()}")
        return re.search(r"control: ready$", said, re.MULTILINE)

    def _log_bytes(self):
        return LOG.stat().st_size if LOG.exists() else 0

    def _log(self, start=0):
        """What it has said since."""
        with open(LOG, "rb") as log:
            log.seek(start)
            return log.read().decode(errors="replace")

    @staticmethod
    def _write(wanted):
        new = BINDINGS.with_suffix(".new")
        new.write_text(json.dumps(as_file(wanted)), encoding="utf-8")
        new.replace(BINDINGS)

    def pid(self):
        """steerd's; None: it does not run."""
        for pid in processes.pids("edge"):
            try:
                if Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip() == "steerd":
                    return pid
            except OSError:
                pass  # it has just ended
        return None

    def publish(self, wanted):
        """Reloads these bindings, and returns when steerd has said that they are active."""
        self._write(wanted)
        before = self._log_bytes()
        os.kill(self._known_pid(), signal.SIGHUP)
        deadline = time.monotonic() + 5
        while not re.search(r"generation \d+ active", said := self._log(before)):
            if "reload refused" in said or time.monotonic() > deadline:
                raise RuntimeError(f"a reload was not acknowledged: {said.strip() or 'nothing was said for 5 s'}")
            time.sleep(0.0002)

    def _known_pid(self):
        pid = self._process.pid if self._process else self.pid()
        if pid is None:
            raise RuntimeError("steerd does not run")
        return pid

    def end(self, number=signal.SIGTERM, seconds=10):
        """Sends it a signal and waits for its end. Returns the exit status where it is known."""
        pid = self._known_pid()
        os.kill(pid, number)
        if self._process:
            return self._process.wait(seconds)
        processes.wait_for("the end of steerd", lambda: self.pid() is None, seconds)
        return None

    @staticmethod
    def counters(command):
        """What it says of itself by DPDK's telemetry: /steer/services, /steer/ports,NAME and so on."""
        return telemetry.ask(FILE_PREFIX, command)

    def stop(self):
        if self.pid() is not None:
            self.end()

    def status(self):
        pid = self.pid()
        if pid is None:
            return "steerd is not running"
        counters = self.counters("/steer/services")
        text = "".join(f"\n  {name:<32} {value:>14,}" for name, value in counters.items() if value)
        return f"steerd runs as process {pid}; its configuration is {CONFIG}, its log {LOG}{text}"
