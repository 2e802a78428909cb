"""Clock and memory of one call, measured inside the process that makes it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

CLEAR, STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")

EXACT = (
    "the kernel's high-water mark of resident memory (VmHWM, reset before the fit) less resident memory before the fit"
)
GROWTH = "growth of ru_maxrss during the fit, a lower bound"
UNKNOWN = "not measured on this system"


class Cost(NamedTuple):
    """What a call took: wall and processor seconds, bytes of memory at the peak beyond those before (None: unknown)."""

    seconds: float
    cpu_seconds: float
    extra_bytes: int | None
    memory_by: str


def measure(call: Callable[[], Any]) -> tuple[Any, Cost]:
    """Return what ``call()`` returns, and its cost."""
    peak = _Peak()
    cpu, wall = time.process_time(), time.perf_counter()
    answer = call()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return answer, Cost(wall, cpu, peak.extra(), peak.by)


class _Peak:
    """Resident memory at its highest since this was made, beyond what there was then."""

    def __init__(self) -> None:
        try:
            CLEAR.write_text("5")  # resets the high-water mark to the present: proc(5)
            self.before, self.by = _status("VmRSS"), EXACT
        except OSError:
            self.before, self.by = _max_resident()

    def extra(self) -> int | None:
        if self.before is None:
            return None
        now = _status("VmHWM") if self.by == EXACT else _max_resident()[0]
        return None if now is None else now - self.before


def peak_resident() -> int | None:
    """Return the process's own high-water mark of resident memory, in bytes.

    Not ``ru_maxrss`` where it can be helped: that of a process that was forked begins with its parent's.
    """
    try:
        return _status("VmHWM")
    except OSError:
        return _max_resident()[0]


def _status(field: str) -> int:
    for line in STATUS.read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024
    raise OSError(f"{STATUS} has no {field}")


def _max_resident() -> tuple[int | None, str]:
    try:
        import resource
    except ImportError:
        return None, UNKNOWN
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit, GROWTH
