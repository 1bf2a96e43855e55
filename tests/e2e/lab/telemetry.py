# SPDX-License-Identifier: BSD-3-Clause
"""Asks DPDK's telemetry socket, as dpdk-telemetry.py does."""
import json
import socket
from pathlib import Path

DIRECTORY = Path("/var/run/dpdk")
ANSWER_BYTES_MAX = 1 << 20


def ask(file_prefix, command):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asking:
        asking.settimeout(5)
        asking.connect(str(DIRECTORY / file_prefix / "dpdk_telemetry.v2"))
        asking.recv(ANSWER_BYTES_MAX)  # who answers
        asking.send(command.encode())
        return json.loads(asking.recv(ANSWER_BYTES_MAX))[command.partition(",")[0]]
