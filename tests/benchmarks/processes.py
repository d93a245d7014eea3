"""What running processes take, as Linux tells it: processor time, and memory by whose it is."""

import os
from collections.abc import Iterable
from pathlib import Path

from tests.chaos.harness import descendants

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


def tree(pids: Iterable[int]) -> list[int]:
    """Return processes, each followed by all below it."""
    return [one for pid in pids for one in (pid, *descendants(pid))]


def is_running(pid: int) -> bool:
    """Return whether a child of ours has not ended."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the processor time of processes and of all below them."""
    ticks = 0
    for pid in tree(pids):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / CLOCK_TICKS


def memory(pid: int) -> dict[str, int]:
    """Return the memory of a process in bytes.

    All that is resident, with its proportional part of what is shared; what is its own; and what was written and is
    shared all the same: pages from before a fork, among them the models', that nobody has written to since.
    """
    sizes = {
        name: int(size.split()[0]) * 1024
        for name, _, size in (
            line.partition(":") for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
        )
    }
    private = sizes["Private_Clean"] + sizes["Private_Dirty"]
    inherited = sizes["Shared_Dirty"]
    return {"resident": sizes["Rss"], "proportional": sizes["Pss"], "private": private, "inherited": inherited}
