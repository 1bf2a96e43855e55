# SPDX-License-Identifier: BSD-3-Clause
"""The suite `afxdp` of script/bench: steerd between veth ports by AF_XDP, beside dpdk-testpmd on the same ports.

  source --- in [edge] out0 --- sink    (and out1, out2 for three services)

The source sends UDP frames of 60 bytes without pause (live_frames), which on CPU 0 costs all that arriving costs: the
frame, the XDP program, the copy into the socket. The forwarder's one worker has CPU 1 to itself, where leaving costs
its share too: the system call, the way to the sink. Each program is given more than it can forward; counted
is what the sink's interfaces receive. Rounds take turns.
"""
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WINDOW_SECONDS = 0.25
WINDOWS = 3  # a round
SETTLE_SECONDS = 0.7
WAITED_SHARE_MAX = 0.03  # of a window, for which the worker may have waited for its CPU; else it is dropped
# What a run may cost. Where so many windows of a round had to be dropped, a full run ends; a quick one takes the least
# disturbed ones, and says so.
FULL = {"rounds": 5, "dropped_max": 60}
QUICK = {"rounds": 3, "dropped_max": 8}
SOURCE_CPU, WORKER_CPU = 0, 1
PREFIX = "203.0.113.0/24"
SERVICES = ("magic_transit", "cdn", "spectrum")
NOTE = (f"source, XDP program of the ingress port and control thread on CPU {SOURCE_CPU}, worker with transmission and "
        f"sink on CPU {WORKER_CPU}")
BINDINGS = {"prefixes": [{"cidr": PREFIX, "service": "magic_transit", "bindings": [
    {"cidr": "203.0.113.1/32", "service": "cdn"}, {"cidr": "203.0.113.2/32", "service": "spectrum"}]}]}


def _namespace(host):
    return f"steer-bench-{os.getpid()}-{host}"


def _ip(*words):
    subprocess.run(["ip", *words], check=True)


def _in(host, *command):
    # Before what else the machine does.
    return ["nice", "-n", "-20", "ip", "netns", "exec", _namespace(host), *map(str, command)]


def _link(near, near_name, far, far_name):
    _ip("link", "add", near_name, "numtxqueues", "1", "numrxqueues", "1", "netns", _namespace(near), "type", "veth",
        "peer", "name", far_name, "numtxqueues", "1", "numrxqueues", "1", "netns", _namespace(far))
    for host, name in ((near, near_name), (far, far_name)):
        subprocess.run(_in(host, "ethtool", "-K", name, "tx", "off", "rx", "off", "gro", "off", "gso", "off", "tso",
                           "off"), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        subprocess.run(_in(host, "sysctl", "-qw", f"net.ipv6.conf.{name}.disable_ipv6=1"), check=True)
        _ip("-n", _namespace(host), "link", "set", name, "up")


@contextlib.contextmanager
def network():
    hosts = ("source", "edge", "sink")
    made = []
    try:
        for host in hosts:
            _ip("netns", "add", _namespace(host))
            made.append(host)
            _ip("-n", _namespace(host), "link", "set", "lo", "up")
        _link("source", "feed", "edge", "in")
        for number in range(len(SERVICES)):
            _link("edge", f"out{number}", "sink", f"sink{number}")
        yield
    finally:
        for host in made:
            _ip("netns", "delete", _namespace(host))


@contextlib.contextmanager
def running(command, ready, log):
    """A program until the end of the block; `ready` is what it says when it is."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 30
        while ready and ready not in Path(log.name).read_text(encoding="utf-8", errors="replace"):
            if process.poll() is not None or time.monotonic() > deadline:
                said = Path(log.name).read_text(encoding="utf-8", errors="replace")
                raise RuntimeError(f"{' '.join(map(str, command))} does not get ready: {said[-2000:]}")
            time.sleep(0.05)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def received(sink_pid):
    """By interface, of a process in the sink's namespace: a file is read, since a program would take the CPUs away."""
    lines = Path(f"/proc/{sink_pid}/net/dev").read_text(encoding="utf-8").splitlines()
    columns = (line.replace(":", " ").split() for line in lines if line.lstrip().startswith("sink"))
    return {column[0]: int(column[2]) for column in columns}


@contextlib.contextmanager
def measuring():
    """This process comes in its turn between those that it measures, which have both CPUs and go before all others; and
    leaves the worker's alone."""
    priority, cpus = os.getpriority(os.PRIO_PROCESS, 0), os.sched_getaffinity(0)
    os.setpriority(os.PRIO_PROCESS, 0, -20)
    os.sched_setaffinity(0, {SOURCE_CPU})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cpus)
        os.setpriority(os.PRIO_PROCESS, 0, priority)


def waited(pid, cpu):
    """Nanoseconds that the process's threads on this CPU alone have waited for it."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            if f"Cpus_allowed_list:\t{cpu}\n" in (task / "status").read_text(encoding="utf-8"):
                total += int((task / "schedstat").read_text(encoding="utf-8").split()[1])
    return total


def window(pid, sink_pid):
    """What each of the sink's interfaces receives a second, and the share of the time that the worker waited."""
    waited_before, before, began = waited(pid, WORKER_CPU), received(sink_pid), time.monotonic()
    time.sleep(WINDOW_SECONDS)
    after, seconds = received(sink_pid), time.monotonic() - began
    share = (waited(pid, WORKER_CPU) - waited_before) / 1e9 / seconds
    return {name: (after[name] - before[name]) / seconds for name in before}, share


def quiet_windows(build, destinations, pid, sink_pid, scale):
    """The rates of windows in which the worker had its CPU, how many others were dropped, and how many of those had to
    be taken all the same."""
    first = "203.0.113.0" if destinations > 1 else "203.0.113.3"
    source = _in("source", "taskset", "-c", SOURCE_CPU, build / "bench/live_frames", "feed", first, destinations)
    good, dropped = [], []
    with measuring(), tempfile.NamedTemporaryFile() as log, running(source, "", log):
        time.sleep(SETTLE_SECONDS)
        while len(good) < WINDOWS:
            rates, share = window(pid, sink_pid)
            if share <= WAITED_SHARE_MAX:
                good.append(rates)
                continue
            dropped.append((share, rates))
            if len(dropped) < scale["dropped_max"]:
                continue
            if scale is FULL:
                raise RuntimeError(f"in {len(dropped)} of {len(dropped) + len(good)} windows the worker waited for "
                                   "its CPU: let nothing else run, or use --quick")
            break
    dropped.sort(key=lambda share_and_rates: share_and_rates[0])
    taken = [rates for _, rates in dropped[:WINDOWS - len(good)]]
    return good + taken, len(dropped) - len(taken), len(taken)


def steerd_command(build, parent, outputs, busy_budget):
    directory = parent / f"steerd-{outputs}-{busy_budget}"
    directory.mkdir()
    lines = [f"port = in interface=in role=ingress busy-budget={busy_budget}",
             f"bindings = {directory}/bindings.json", f"run-directory = {directory}/run",
             f"file-prefix = steer-bench-{os.getpid()}", f"worker-cpus = {WORKER_CPU}"]
    for number, service in enumerate(SERVICES[:outputs]):
        lines += [f"port = out{number} interface=out{number} role=none busy-budget={busy_budget}",
                  f"output = {service} port=out{number}"]
    (directory / "bindings.json").write_text(json.dumps(BINDINGS), encoding="utf-8")
    (directory / "steerd.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return _in("edge", build / "control/apps/steerd", "--config", directory / "steerd.conf")


def testpmd_command(busy_budget, burst):
    devices = [f"--vdev=net_af_xdp{number},iface={name},busy_budget={busy_budget}"
               for number, name in enumerate(("in", "out0"))]
    return _in("edge", "dpdk-testpmd", "--no-huge", "--no-pci", "--no-shconf", "-m", "256", "--iova-mode=va",
               f"--file-prefix=steer-bench-pmd-{os.getpid()}", "--lcores", f"0@{SOURCE_CPU},1@{WORKER_CPU}",
               "--no-telemetry", *devices, "--", "--forward-mode=io", "--nb-cores=1", "--total-num-mbufs=40000",
               "--rxd=4096", "--txd=4096", f"--burst={burst}", "--no-lsc-interrupt", "--auto-start", "--stats-period=60")


def measure(build, sink_pid, command, ready, destinations, scale):
    """Rates of the sink's interfaces in the median window of a run, the windows that were dropped, and those in which
    the worker waited for its CPU and that were taken all the same."""
    with tempfile.NamedTemporaryFile() as log, running(command, ready, log) as process:
        good, dropped, disturbed = quiet_windows(build, destinations, process.pid, sink_pid, scale)
    return sorted(good, key=lambda rates: sum(rates.values()))[len(good) // 2], dropped, disturbed


def digits(value):
    return float(f"{value:.4g}")


def total(figure):
    return sum(figure[0].values())


def row_of(case, figures, contender, busy_budget):
    """`contender` beside the faster of the two ways in which testpmd runs."""
    anchor = max((name for name in figures if name.startswith("dpdk-testpmd")),
                 key=lambda name: statistics.median(map(total, figures[name])))
    ours, theirs = figures[contender], figures[anchor]
    ratios = [total(a) / total(b) for a, b in zip(ours, theirs, strict=True)]
    row = {"suite": "afxdp", "case": f"{case}/busy-budget-{busy_budget}",
           "ours": digits(statistics.median(map(total, ours)) / 1e6), "unit": "Mpps", "anchor": anchor,
           "theirs": digits(statistics.median(map(total, theirs)) / 1e6), "ratio": digits(statistics.median(ratios)),
           "ratio_min": digits(min(ratios)), "ratio_max": digits(max(ratios)),
           "windows_dropped": sum(dropped for _, dropped, _ in ours + theirs),
           "windows_disturbed": sum(disturbed for _, _, disturbed in ours + theirs), "note": NOTE}
    shares = [[rates[f"sink{number}"] / sum(rates.values()) for number in range(len(SERVICES))] for rates, _, _ in ours]
    if contender == "three":
        row["shares"] = [digits(statistics.median(column)) for column in zip(*shares)]
    return row


def run(build, directory, quick):
    """Returns rows: one service beside testpmd, with and without busy polling, and three services evenly."""
    rows = []
    scale = QUICK if quick else FULL
    for busy_budget in (0, 64):
        contenders = {
            f"dpdk-testpmd io burst {burst}": (testpmd_command(busy_budget, burst), "Port 1: ", 1) for burst in (32, 64)
        } | {name: (steerd_command(build, directory, outputs, busy_budget), "control: ready", outputs)
             for name, outputs in (("one", 1), ("three", 3))}
        figures = {name: [] for name in contenders}
        with network(), tempfile.NamedTemporaryFile() as log, \
                running(_in("sink", "sleep", "infinity"), "", log) as sink:
            for number in range(scale["rounds"]):
                for name, contender in contenders.items():
                    began = time.monotonic()
                    figures[name].append(measure(build, sink.pid, *contender, scale))
                    print(f"afxdp: busy-budget {busy_budget}, round {number + 1} of {scale['rounds']}, {name}: "
                          f"{time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)
        rows += [row_of(case, figures, name, busy_budget) for case, name in
                 (("one-service", "one"), ("three-services", "three"))]
    return rows


def markdown(rows):
    lines = ["| case | steerd, Mpps | best of dpdk-testpmd, Mpps | ratio of pairs, median (min - max) |",
             "|---|---|---|---|"]
    for row in rows:
        shares = f", shares {' / '.join(f'{share:.3f}' for share in row['shares'])}" if "shares" in row else ""
        lines.append(f"| {row['case']}{shares} | {row['ours']:.2f} | {row['theirs']:.2f} ({row['anchor']}) | "
                     f"{row['ratio']:.2f} ({row['ratio_min']:.2f} - {row['ratio_max']:.2f}) |")
    dropped = sum(row["windows_dropped"] for row in rows)
    disturbed = sum(row["windows_disturbed"] for row in rows)
    text = "\n".join(lines) + f"\n\n{NOTE}. {dropped} windows in which the worker waited for its CPU were dropped.\n"
    if disturbed:
        text += f"DISTURBED: {disturbed} such windows had to be taken, since others kept the CPU busy: no figures to keep\n"
    return text
