# SPDX-License-Identifier: BSD-3-Clause
"""The suite `api` of script/bench: a steerd with a million bindings, its API asked over HTTP."""
import json
import mmap
import os
import re
import signal
import socket
import statistics
import struct
import subprocess
import time
import urllib.request
from pathlib import Path

ACCOUNT = "0123456789abcdef0123456789abcdef"
HOSTS = 240  # of each prefix, beside its default
BINDINGS = 1_000_000
CLIENTS = 50
DELAY_US = 5000
RESTART_S_MAX = 60
WAITED_MAX = 0.02  # of a window
FEED = "in device=net_pcap0,rx_pcap=packet.pcap,infinite_rx=1 role=ingress"
HEADER = struct.Struct("<QQ")  # of bench/api_flushes.cpp
FLUSHES_MAX = 1 << 20

# As configs/steerd.service has it.
HUGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}

CONFIGURATION = """
run-directory = run
file-prefix = bench
data-directory = data
api-listen = 127.0.0.1:0
api-rate = 1000000
bindings-max = 2000000
descriptors = 256
idle = sleep
worker-cpus = any
port = in device=net_ring0 role=ingress
port = mt device=net_null1 role=none
port = cdn device=net_null2 role=none
port = sp device=net_null3 role=none
output = magic_transit port=mt
output = cdn port=cdn
output = spectrum port=sp
"""


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def digits(value):
    return float(f"{value:.4g}")


class Flushes:
    """What the program under test flushed, and when."""

    def __init__(self, path):
        self.path = path
        with path.open("wb") as file:
            file.truncate(HEADER.size + 16 * FLUSHES_MAX)
        with path.open("r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 0)

    def delay(self, microseconds):
        self.memory[:8] = struct.pack("<Q", microseconds)

    def count(self):
        return HEADER.unpack_from(self.memory)[1]

    def times(self, first=0):
        last = self.count()
        if last > FLUSHES_MAX:
            raise RuntimeError(f"more than {FLUSHES_MAX} flushes; their times are not all known")
        return [struct.unpack_from("<QQ", self.memory, HEADER.size + 16 * i) for i in range(first, last)]


def overlaps(spans, flushes):
    """Of each span (sorted, apart from each other) the time that flushes took in it."""
    found, at = [], 0
    for begin, end in spans:
        while at < len(flushes) and flushes[at][1] <= begin:
            at += 1
        took, i = 0, at
        while i < len(flushes) and flushes[i][0] < end:
            took += min(end, flushes[i][1]) - max(begin, flushes[i][0])
            i += 1
        found.append(took)
    return found


class Steerd:
    def __init__(self, build, folder):
        self.build, self.folder, self.process, self.port = build, folder, None, None
        (folder / "steerd.conf").write_text(CONFIGURATION, encoding="utf-8")
        self.flushes = Flushes(folder / "flushes")

    def spawn(self, *words, **variables):
        with (self.folder / "log").open("w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [self.build / "control/apps/steerd", "--config", "steerd.conf", *words], cwd=self.folder,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "RUNTIME_DIRECTORY": str(self.folder), **variables})

    def log(self):
        text = (self.folder / "log").read_text(encoding="utf-8")
        if self.process.poll() is not None:
            raise RuntimeError("steerd does not start:\n" + text)
        return text

    def start(self, *words):
        """Until it says that it is ready; its flushes are timed."""
        self.spawn(*words, STEER_BENCH_FLUSHES=str(self.flushes.path), LD_PRELOAD=str(self.build / "bench/api_flushes.so"),
                   **HUGE_PAGES)
        while ": ready" not in (text := self.log()):
            time.sleep(0.005)
        self.port = re.search(r"listening on 127\.0\.0\.1 port (\d+)", text).group(1)

    def restart_until_steered(self, variables):
        """Seconds from the start of the process until a worker has steered a packet to the CDN."""
        began = time.monotonic()
        self.spawn("--port", FEED, **variables)
        while time.monotonic() < began + RESTART_S_MAX:
            self.log()
            try:
                if (self.telemetry() or {}).get("cdn_bound_packets", 0) > 0:
                    return time.monotonic() - began
            except (OSError, ValueError):
                pass  # it is not so far
            time.sleep(0.005)
        raise RuntimeError(f"no packet was steered to the CDN within {RESTART_S_MAX} s of the start")

    def kill(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def token(self):
        body = json.dumps({"role": "write", "account": ACCOUNT})
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self.folder / "run/bench.sock"))
            client.sendall(f"POST /steer/v1/tokens HTTP/1.1\r\nHost: steer\r\nConnection: close\r\n"
                           f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
            reply = b""
            while piece := client.recv(65536):
                reply += piece
        return json.loads(reply.split(b"\r\n\r\n", 1)[1])["result"]["token"]

    def get(self, path, token):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}",
                                         headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=60) as reply:
            return json.loads(reply.read())["result"]

    def client(self, token, *words, ids="", on_cpus=None):
        def settle():
            if on_cpus:
                os.sched_setaffinity(0, on_cpus)

        # The settling runs between fork and exec of a process with one thread.
        out = subprocess.run([self.build / "bench/api_client", self.port, token, ACCOUNT, *map(str, words)],
                             input=ids, capture_output=True, text=True, check=False, preexec_fn=settle)
        if out.returncode != 0:
            raise RuntimeError(f"api_client {words[0]}: {out.stderr[-2000:]}")
        return json.loads(out.stdout)

    def threads(self):
        """Seconds on a CPU, and waiting for one, of each thread."""
        found = {}
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            try:
                ran, waited, _ = (task / "schedstat").read_text(encoding="ascii").split()
            except OSError:
                continue  # it has just ended
            found[int(task.name)] = (int(ran) / 1e9, int(waited) / 1e9)
        return found

    def resident_bytes(self):
        text = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return int(re.search(r"VmRSS:\s+(\d+) kB", text).group(1)) * 1024

    def telemetry(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asked:
            asked.settimeout(5)
            asked.connect(str(self.folder / "dpdk/bench/dpdk_telemetry.v2"))
            size = json.loads(asked.recv(4096))["max_output_len"]
            asked.send(b"/steer/outcomes")
            return json.loads(asked.recv(size))["/steer/outcomes"]


def write_packet(path):
    """One UDP packet for 10.0.0.1, which `fill` binds to the CDN."""
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 46, 1, 0x4000, 64, 17, 0, socket.inet_aton("192.0.2.1"),
                         socket.inet_aton("10.0.0.1"))
    frame = bytes.fromhex("0200000000010200000000020800") + header + struct.pack("!HHHH", 1024, 53, 26, 0) + bytes(18)
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) +
                     struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame)


def measure_latency(steerd, token, ids, changes):
    first = steerd.flushes.count()
    samples = steerd.client(token, "latency", changes, ids=ids)
    flushes = steerd.flushes.times(first)
    figures = {}
    for name, begin, end in (("create", 0, 2), ("reply", 0, 1), ("delete", 3, 4)):
        spans = [(sample[begin], sample[end]) for sample in samples]
        whole = [end - begin for begin, end in spans]
        apart = [took - flushed for took, flushed in zip(whole, overlaps(spans, flushes))]
        figures[name] = {"whole": whole, "apart": apart}
    figures["flush"] = [end - begin for begin, end in flushes]
    return figures


class Window:
    """What a steerd that forwards did between two moments."""

    def __init__(self, steerd):
        self.steerd = steerd
        self.began, self.threads, self.packets = time.monotonic(), steerd.threads(), self.count()

    def count(self):
        return self.steerd.telemetry()["received_packets"]

    def end(self):
        """Packets a second; the worker's share of a CPU, and of the time that it waited for one; CPU seconds of the others."""
        packets = self.count() - self.packets
        seconds = time.monotonic() - self.began
        spent = {task: (ran - self.threads.get(task, (0, 0))[0], waited - self.threads.get(task, (0, 0))[1])
                 for task, (ran, waited) in self.steerd.threads().items()}
        worker = max(spent, key=lambda task: spent[task][0])
        return {"packets": packets / seconds, "waited": spent[worker][1] / seconds,
                "others": sum(ran for task, (ran, _) in spent.items() if task != worker)}


def measure_forwarding(steerd, token, ids, seconds, rounds):
    """A worker alone on the last CPU forwards one packet again and again; windows with changes and without, in turn."""
    quiet, busy, took, others, dropped = [], [], 0, 0.0, 0
    for _ in range(rounds):
        window = Window(steerd)
        time.sleep(seconds)
        without = window.end()
        window = Window(steerd)
        loaded = steerd.client(token, "load", CLIENTS, seconds, ids=ids, on_cpus=set(range(os.cpu_count() - 1)) or None)
        during = window.end()
        took += len(loaded["took"])
        others += during["others"]
        # Where the worker had to wait, it is the machine that is measured.
        if max(without["waited"], during["waited"]) > WAITED_MAX:
            dropped += 1
            continue
        quiet.append(without["packets"])
        busy.append(during["packets"])
    return {"quiet": quiet, "busy": busy, "changes": took / (rounds * seconds), "cost": others / took if took else 0,
            "dropped": dropped}


def run(build, directory, quick):
    """Returns the rows. Raises RuntimeError where something is not as it must be."""
    bindings = BINDINGS // 10 if quick else BINDINGS
    prefixes = bindings // (HOSTS + 1) + 1
    write_packet(directory / "packet.pcap")
    steerd = Steerd(build, directory)
    scale = "100k" if quick else "1m"
    rows = []

    def add(case, ours, unit):
        rows.append({"suite": "api", "case": f"{scale}/{case}", "ours": digits(ours), "unit": unit})

    try:
        steerd.start()
        token = steerd.token()
        filled = steerd.client(token, "fill", prefixes, HOSTS)
        status = steerd.get("/steer/v1/status", token)
        if status["bindings"] != filled["bindings"]:
            raise RuntimeError(f"{filled['bindings']} bindings were acknowledged, and there are {status['bindings']}")
        add("fill/changes", filled["bindings"] / filled["seconds"], "1/s")
        add("resident", steerd.resident_bytes(), "bytes")
        listed = steerd.get(f"/accounts/{ACCOUNT}/addressing/prefixes", token)
        ids = "\n".join(prefix["id"] for prefix in
                        sorted(listed, key=lambda one: socket.inet_aton(one["cidr"].split("/")[0])))
        figures = measure_latency(steerd, token, ids, 300 if quick else 3000)
        for name, what in (("create", "create-to-active"), ("delete", "delete")):
            for part, where in (("whole", ""), ("apart", "/without-flush")):
                add(f"{what}{where}/median", statistics.median(figures[name][part]), "ns")
                add(f"{what}{where}/p99", percentile(figures[name][part], 0.99), "ns")
        add("flush/median", statistics.median(figures["flush"]), "ns")
        add("flush/p99", percentile(figures["flush"], 0.99), "ns")

        steerd.flushes.delay(DELAY_US)
        before = steerd.flushes.count()
        loaded = steerd.client(token, "load", CLIENTS, 5 if quick else 20, ids=ids)
        flushes = steerd.flushes.count() - before
        steerd.flushes.delay(0)
        took = loaded["took"]
        add(f"{CLIENTS}-clients/5ms-flush/changes", len(took) / loaded["seconds"], "1/s")
        add(f"{CLIENTS}-clients/5ms-flush/changes-per-flush", len(took) / flushes, "changes")
        add(f"{CLIENTS}-clients/5ms-flush/median", statistics.median(took), "ns")
        add(f"{CLIENTS}-clients/5ms-flush/p99", percentile(took, 0.99), "ns")
        if steerd.get("/steer/v1/status", token)["bindings"] != filled["bindings"]:
            raise RuntimeError("bindings are left, or missing, that were deleted and created in turn")

        restarts = {"": [], "/without-huge-pages": []}
        for _ in range(3):
            for case, variables in (("/without-huge-pages", {}), ("", HUGE_PAGES)):
                steerd.kill()
                restarts[case].append(steerd.restart_until_steered(variables))
        for case, seconds in restarts.items():
            add(f"restart/first-packet{case}", statistics.median(seconds) * 1e9, "ns")
        add("restart/resident", steerd.resident_bytes(), "bytes")

        steerd.kill()
        steerd.start("--port", FEED, "--idle", "busy", "--worker-cpus", str(os.cpu_count() - 1))
        steerd.flushes.delay(DELAY_US)
        found = measure_forwarding(steerd, token, ids, 2 if quick else 5, 3 if quick else 9)
        add(f"forwarding/{CLIENTS}-clients/5ms-flush/changes", found["changes"], "1/s")
        add("forwarding/cpu-of-others-a-change", found["cost"] * 1e9, "ns")
        add("forwarding/windows-dropped", found["dropped"], "pairs")
        if found["quiet"]:
            add("forwarding/packets-without-changes", statistics.median(found["quiet"]), "packets/s")
            add("forwarding/packets-with-changes", statistics.median(found["busy"]), "packets/s")
            ratios = [busy / quiet for busy, quiet in zip(found["busy"], found["quiet"])]
            add("forwarding/with-to-without", statistics.median(ratios), "ratio")
    finally:
        steerd.kill()
    return rows


def markdown(rows):
    lines = ["| case | ours |", "|---|---|"]
    lines += [f"| {row['case']} | {row['ours']:.10g} {row['unit']} |" for row in rows]
    return "\n".join(lines) + "\n"
