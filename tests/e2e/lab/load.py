# SPDX-License-Identifier: BSD-3-Clause
"""wrk on the client, and what it says of failed requests."""
import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import processes


@dataclass(frozen=True)
class Load:
    requests: int
    failed: int
    per_second: float
    text: str


class Wrk:
    """Runs from the start of a `with` block until result() or the end of the block."""

    def __init__(self, url, connections=8):
        self._command = processes.command_in("client", "wrk", "-t1", f"-c{connections}", "-d600", "--latency",
                                             "--timeout", "10", url)

    def __enter__(self):
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        # It counts requests from here on, and SIGINT makes it report. Before, SIGINT would be lost.
        processes.wait_for("wrk", self._is_under_way)
        return self

    def _is_under_way(self):
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="utf-8")
        caught = int(re.search(r"SigCgt:\s+(\w+)", status).group(1), 16)
        return bool(caught >> (signal.SIGINT - 1) & 1)

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()

    def result(self):
        for _ in range(30):
            self._process.send_signal(signal.SIGINT)
            try:
                text, _ = self._process.communicate(timeout=1)
                break
            except subprocess.TimeoutExpired:
                pass  # it was about to go to sleep
        else:
            raise RuntimeError("wrk does not end")
        requests = re.search(r"(\d+) requests in", text)
        rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
        if not requests or not rate:
            raise RuntimeError(f"wrk gave no figures: {text}")
        errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
        refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
        failed = sum(map(int, errors.groups())) if errors else 0
        return Load(int(requests.group(1)), failed + (int(refused.group(1)) if refused else 0),
                    float(rate.group(1)), text)
