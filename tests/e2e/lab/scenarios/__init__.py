# SPDX-License-Identifier: BSD-3-Clause
"""The scenarios by name, in the order in which they run."""
import importlib

NAMES = ("fetch", "origin", "own_traffic", "path_mtu", "too_big", "balance", "moves", "kill", "full_output",
         "dead_consumer", "instruments")
_OF_STEERD = ("balance", "kill", "full_output", "dead_consumer")
_OF_KERNEL = ("instruments",)


def suited_to(edge):
    """The scenarios that can say something of this edge."""
    return [name for name in NAMES if name not in (_OF_KERNEL if edge.is_steerd else _OF_STEERD)]


def load(name):
    return importlib.import_module(f"scenarios.{name}")


def title(name):
    """The first line of a scenario's description."""
    return load(name).__doc__.strip().splitlines()[0]
