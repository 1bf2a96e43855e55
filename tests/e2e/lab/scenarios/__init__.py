# SPDX-License-Identifier: BSD-3-Clause
"""The scenarios by name, in the order in which they run."""
import importlib

NAMES = ("fetch", "origin", "own_traffic", "path_mtu", "too_big", "moves", "instruments")


def load(name):
    return importlib.import_module(f"scenarios.{name}")


def title(name):
    """The first line of a scenario's description."""
    return load(name).__doc__.strip().splitlines()[0]
