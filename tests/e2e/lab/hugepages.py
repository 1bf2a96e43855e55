# SPDX-License-Identifier: BSD-3-Clause
"""Hugepages for as long as a scenario needs them: processes share rings in them."""
import contextlib
import subprocess
from pathlib import Path

from processes import STATE

DIRECTORY = STATE / "hugepages"
_ADDED = STATE / "hugepages.added"  # so that `down` gives back what a killed test had taken
_PAGES = Path("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages")


class NoHugepages(Exception):
    """This machine has none to give; why."""


def _count():
    return int(_PAGES.read_text(encoding="utf-8"))


def give_back():
    subprocess.run(["umount", DIRECTORY], check=False, stderr=subprocess.DEVNULL)
    if _ADDED.exists():
        _PAGES.write_text(str(max(0, _count() - int(_ADDED.read_text(encoding="utf-8")))), encoding="utf-8")
        _ADDED.unlink()


@contextlib.contextmanager
def reserved(pages):
    """As many more pages of 2 MiB, and a directory for their files."""
    before = _count()
    _ADDED.write_text(str(pages), encoding="utf-8")
    try:
        _PAGES.write_text(str(before + pages), encoding="utf-8")
        if _count() < before + pages:
            _ADDED.write_text(str(_count() - before), encoding="utf-8")
            raise NoHugepages(f"{pages} hugepages are wanted, {_count() - before} could be had")
        DIRECTORY.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "hugetlbfs", "none", DIRECTORY], check=True)
        yield
    except OSError as error:
        raise NoHugepages(f"no hugepages: {error}") from None
    finally:
        give_back()


def files():
    return sorted(path.name for path in DIRECTORY.glob("*map_*"))
