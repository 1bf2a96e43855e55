# SPDX-License-Identifier: BSD-3-Clause
"""The suite `swap` of script/bench: runs swap_bench, makes rows and a table."""
import json
import subprocess
import sys

BINDINGS = 1_000_000
CHANGES = 100_000
CHANGES_QUICK = 20_000


def digits(value):
    return float(f"{value:.4g}")


def run(program, quick):
    """Returns what swap_bench printed. Raises RuntimeError where it, or what it has counted, is wrong."""
    command = [program, "--bindings", str(BINDINGS), "--changes", str(CHANGES_QUICK if quick else CHANGES)]
    out = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if out.returncode != 0:
        raise RuntimeError(f"swap_bench failed with status {out.returncode}: {out.stderr[-2000:]}")
    figures = json.loads(out.stdout)
    packets = figures["packets"]
    if not packets["fed"] == packets["decided"] == packets["sent"] or packets["dropped"] != 0:
        raise RuntimeError(f"packets were lost, or counted wrongly: {packets}")
    if figures["wrong_answers"] != 0:
        raise RuntimeError(f"{figures['wrong_answers']} tables did not have the change that was active")
    if figures["windows_dropped"]:
        print(f"swap: {figures['windows_dropped']} of {figures['windows']} windows are left out, because the worker "
              "had waited for its processor", file=sys.stderr)
    return figures


def rows_of(figures):
    """Latencies beside what each change cost before: all bindings compiled into one table."""
    rows = []

    def add(case, ours, unit, theirs=None):
        row = {"suite": "swap", "case": case, "ours": digits(ours), "unit": unit}
        if theirs is not None:
            row |= {"anchor": "whole table compiled", "theirs": digits(theirs), "ratio": digits(theirs / ours)}
        rows.append(row)

    if figures["windows"] == figures["windows_dropped"]:
        print("swap: no window is left, so there are no latencies; measure on a quiet machine", file=sys.stderr)
    else:
        active = figures["active_us"]
        add("1m/one-binding/active/median", active["median"] * 1e3, "ns", figures["whole_ms"] * 1e6)
        add("1m/one-binding/active/p99", active["p99"] * 1e3, "ns")
        add("1m/one-binding/active/max", active["max"] * 1e3, "ns")
        add("1m/one-binding/made/median", figures["made_us"]["median"] * 1e3, "ns")
    first, others = figures["first_burst_ns"], figures["other_burst_ns"]
    add("1m/first-burst/more/median", first["median"] - others["median"], "ns")
    add("1m/burst/median", others["median"], "ns")
    add("1m/first-burst/p99", first["p99"], "ns")
    add("1m/burst/p99", others["p99"], "ns")
    add("1m/changes", figures["changes_per_second"], "1/s")
    add("1m/packets", figures["packets_per_second"], "1/s")
    add("1m/packets/lost", figures["packets"]["fed"] - figures["packets"]["sent"], "packets")
    for name in ("resident", "fib"):
        use = figures[f"{name}_bytes"]
        add(f"1m/{name}/grown", use["after"] - use["before"], "bytes")
        add(f"1m/{name}", use["after"], "bytes")
    return rows


def markdown(rows, figures):
    lines = [f"{figures['changes']} changes of one binding among {figures['bindings']}; "
             f"{figures['packets']['fed']} packets fed, as many counted and sent; "
             f"{figures['windows_dropped']} of {figures['windows']} windows left out", "",
             "| case | ours | whole table compiled | ratio |", "|---|---|---|---|"]
    for row in rows:
        theirs = f"{row['theirs']:.4g} {row['unit']} | {row['ratio']:.4g}" if "theirs" in row else "- | -"
        lines.append(f"| {row['case']} | {row['ours']:.10g} {row['unit']} | {theirs} |")
    return "\n".join(lines) + "\n"
