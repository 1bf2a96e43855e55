# SPDX-License-Identifier: BSD-3-Clause
"""The suite `lpm` of script/bench: runs lpm_bench once for each table, makes rows, a table and a plot."""
import gzip
import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PREFIXES = ROOT.parent / "shared/data/tables/bgp-2025-10.prefixes.txt.gz"
TABLES = [f"{family}/{name}" for family in ("v4", "v6") for name in ("bind-1k", "bind-100k", "bind-1m", "bgp")]
HUGE_PAGE_MIB = {"v4": 640, "v6": 1536}  # what DPDK's tables may take
UNITS = ("ns", "bytes", "ms")
OURS = "steer"


@contextmanager
def huge_pages(mib):
    """Yields how many MiB of huge pages there are for DPDK: `mib`, or 0. Gives back what it reserved."""
    control = Path("/proc/sys/vm/nr_hugepages")
    meminfo = dict(line.split(":") for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
    free = int(meminfo["HugePages_Free"])
    before = int(control.read_text(encoding="ascii"))
    wanted = mib // 2
    if "2048" not in meminfo["Hugepagesize"]:
        yield 0
        return
    if free < wanted and os.access(control, os.W_OK):
        control.write_text(str(before + wanted - free), encoding="ascii")
        got = int(control.read_text(encoding="ascii")) - before + free
    else:
        got = free
    try:
        yield mib if got >= wanted else 0
    finally:
        if int(control.read_text(encoding="ascii")) != before and os.access(control, os.W_OK):
            control.write_text(str(before), encoding="ascii")


def one_processor():
    """The last processor that this process may use: interrupts tend to go to the first."""
    return str(max(os.sched_getaffinity(0)))


def run_table(program, table, prefixes, quick):
    """Returns [(case, contender, unit, value)]: medians over the rounds."""
    with huge_pages(HUGE_PAGE_MIB[table[:2]]) as mib:
        if mib == 0:
            print(f"{table}: no huge pages for DPDK's tables, they lie in ordinary memory", file=sys.stderr)
        command = ["taskset", "-c", one_processor(), program, "--table", table, "--huge-page-mib", str(mib)]
        command += ["--prefixes", prefixes] if prefixes else []
        command += ["--quick"] if quick else []
        command += ["--", "--benchmark_format=json", "--benchmark_report_aggregates_only=true"]
        out = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    for line in out.stderr.splitlines():
        if line.startswith(("left out", "lpm_bench")):
            print(f"{table}: {line}", file=sys.stderr)
    if out.returncode != 0:
        raise RuntimeError(f"lpm_bench --table {table} failed with status {out.returncode}: {out.stderr[-2000:]}")
    figures = []
    dropped = 0
    for row in json.loads(out.stdout)["benchmarks"]:
        if row.get("aggregate_name", "median") != "median":
            continue
        name = row["run_name"].split("/iterations")[0]
        case, contender = name.split("|")
        unit = next(unit for unit in UNITS if unit in row)
        figures.append((case, contender, unit, row[unit]))
        dropped += row.get("dropped", 0) > 0
    if dropped:
        print(f"{table}: {dropped} medians are of windows with passes that were run again, because they "
              "had waited for the processor", file=sys.stderr)
    return figures


def digits(value):
    return float(f"{value:.4g}")


def rows_of(figures):
    """One row for each case, with the best of all others as anchor, and one more for each other."""
    cases = {}
    for case, contender, unit, value in figures:
        cases.setdefault(case, {"unit": unit, "all": {}})["all"][contender] = value
    for case, entry in cases.items():
        if case.endswith("/update-one"):  # others change their table in place, one or a thousand alike
            entry["all"].update({name: value for name, value in cases[case[:-4]]["all"].items() if name != OURS})
        if case.endswith("/memory-two"):
            entry["all"]["one generation"] = cases[case[:-4]]["all"][OURS]
    rows = []
    for case, entry in cases.items():
        ours = entry["all"][OURS]
        others = {name: value for name, value in entry["all"].items() if not name.startswith(OURS)}
        row = {"suite": "lpm", "case": case, "ours": digits(ours), "unit": entry["unit"]}
        if others:
            anchor = min(others, key=others.get)
            row |= {"anchor": anchor, "theirs": digits(others[anchor]), "ratio": digits(others[anchor] / ours)}
        rows.append(row)
        for name, value in sorted(others.items(), key=lambda item: item[1]):
            rows.append({"suite": "lpm", "case": case, "ours": digits(ours), "unit": entry["unit"], "anchor": name,
                         "theirs": digits(value), "ratio": digits(value / ours), "peer": True})
        if entry["unit"] == "ns":
            for name, value in entry["all"].items():
                if name.startswith(OURS + " "):
                    rows.append({"suite": "lpm", "case": case, "ours": digits(value), "unit": "ns",
                                 "form": name.removeprefix(OURS + " ")})
    return rows


def markdown(rows):
    lines = ["| case | ours | best of all others | theirs | ratio |", "|---|---|---|---|---|"]
    for row in rows:
        if "peer" in row or "form" in row:
            continue
        scale, unit = (1e-6, "MB") if row["unit"] == "bytes" else (1, row["unit"])
        theirs = f"{row['anchor']} | {row['theirs'] * scale:.2f} | {row['ratio']:.2f}" if "anchor" in row else "- | - | -"
        lines.append(f"| {row['case']} | {row['ours'] * scale:.2f} {unit} | {theirs} |")
    return "\n".join(lines) + "\n"


# What the bench of the re-stated structures had recorded (ns, the better of lookup and lookup_burst):
# half and all hit, and keys of routing tables, on another machine.
RECORDED = {
    ("v4/bind-1k/half", "mtrie 16-8-8"): 2.3, ("v4/bind-1k/half", "poptrie"): 7.4, ("v4/bind-1k/half", "dxr"): 9.7,
    ("v4/bind-1k/all", "mtrie 16-8-8"): 1.5, ("v4/bind-1k/all", "poptrie"): 6.7, ("v4/bind-1k/all", "dxr"): 11.5,
    ("v6/bind-1k/half", "poptrie"): 27.4, ("v6/bind-1k/all", "poptrie"): 33.1,
    ("v4/bind-100k/half", "mtrie 16-8-8"): 9.8, ("v4/bind-100k/half", "poptrie"): 14.0,
    ("v4/bind-100k/half", "dxr"): 15.7, ("v4/bind-100k/all", "mtrie 16-8-8"): 7.0,
    ("v4/bind-100k/all", "poptrie"): 10.6, ("v4/bind-100k/all", "dxr"): 11.8,
    ("v6/bind-100k/half", "poptrie"): 77.1, ("v6/bind-100k/all", "poptrie"): 90.8,
    ("v4/bind-1m/half", "mtrie 16-8-8"): 14.0, ("v4/bind-1m/half", "poptrie"): 23.8,
    ("v4/bind-1m/half", "dxr"): 24.5, ("v4/bind-1m/all", "mtrie 16-8-8"): 16.5,
    ("v4/bind-1m/all", "poptrie"): 36.1, ("v4/bind-1m/all", "dxr"): 74.8,
    ("v6/bind-1m/half", "poptrie"): 95.0, ("v6/bind-1m/all", "poptrie"): 124.9,
    ("v4/bgp/uniform", "mtrie 16-8-8"): 10.4, ("v4/bgp/uniform", "poptrie"): 14.8, ("v4/bgp/uniform", "dxr"): 9.2,
    ("v4/bgp/prefix", "mtrie 16-8-8"): 10.3, ("v4/bgp/prefix", "poptrie"): 20.7, ("v4/bgp/prefix", "dxr"): 16.7,
    ("v4/bgp/zipf", "mtrie 16-8-8"): 7.5, ("v4/bgp/zipf", "poptrie"): 12.5, ("v4/bgp/zipf", "dxr"): 12.7,
    ("v6/bgp/prefix", "poptrie"): 21.7, ("v6/bgp/zipf", "poptrie"): 24.8,
}


def restated(rows):
    """The re-stated structures here, beside what was recorded of them elsewhere."""
    here = {}
    for row in rows:
        if row.get("peer") and row["case"].endswith("/b32"):
            name = row["anchor"].removesuffix(" lookup").removesuffix(" lookup_burst")
            key = (row["case"].removesuffix("/b32"), name)
            here[key] = min(row["theirs"], here.get(key, float("inf")))
    lines = ["| case, b32 | structure | ns here | recorded | here / recorded |", "|---|---|---|---|---|"]
    for key, recorded in RECORDED.items():
        if key in here:
            lines.append(f"| {key[0]} | {key[1]} | {here[key]:.2f} | {recorded:.1f} | {here[key] / recorded:.2f} |")
    return "\n".join(lines) + "\n"


def plot(rows):
    """SVG: for each lookup in bursts of 32, how many times as long the best of the others takes."""
    bars = [row for row in rows if row["case"].endswith("/b32") and "ratio" in row and "peer" not in row]
    width, left, step = 760, 190, 22
    scale = (width - left - 150) / max(row["ratio"] for row in bars)
    height = step * len(bars) + 50
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" '
           'font-size="12">', f'<rect width="{width}" height="{height}" fill="white"/>',
           '<text x="10" y="20" font-size="14">Lookups in bursts of 32: time of the best other / time of steer</text>']
    for i, row in enumerate(bars):
        y = 34 + i * step
        out.append(f'<text x="{left - 8}" y="{y + 12}" text-anchor="end">{row["case"].removesuffix("/b32")}</text>'
                   f'<rect x="{left}" y="{y}" width="{row["ratio"] * scale:.1f}" height="16" '
                   f'fill="{"#2a7" if row["ratio"] >= 1 else "#c55"}"/>'
                   f'<text x="{left + row["ratio"] * scale + 6:.1f}" y="{y + 12}">{row["ratio"]:.2f} '
                   f'({row["anchor"]})</text>')
    x = left + scale
    out.append(f'<line x1="{x:.1f}" y1="28" x2="{x:.1f}" y2="{height - 12}" stroke="black" stroke-dasharray="3 3"/></svg>')
    return "\n".join(out) + "\n"


def run(program, directory, quick):
    """Returns the rows of all tables. directory: for temporary files."""
    prefixes = None
    if PREFIXES.exists():
        prefixes = directory / "prefixes.txt"
        prefixes.write_bytes(gzip.decompress(PREFIXES.read_bytes()))
    else:
        print(f"no routing table at {PREFIXES}: bgp is left out, bindings are placed at random", file=sys.stderr)
    rows = []
    for table in TABLES:
        if table.endswith("bgp") and not prefixes:
            continue
        start = time.monotonic()
        rows += rows_of(run_table(program, table, prefixes, quick))
        print(f"{table}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    return rows


def summary(rows):
    ratios = [row["ratio"] for row in rows if row["case"].endswith("/b32") and "peer" not in row and "ratio" in row]
    ahead = sum(ratio >= 1 for ratio in ratios)
    return f"{ahead} of {len(ratios)} cases in bursts of 32 ahead of all others; median ratio {statistics.median(ratios):.2f}"
