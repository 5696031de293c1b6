"""Memory that was freed is used again, not given back and asked for anew."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

_INDEXED = """
import resource
from cockpit.formats.catalogue import format_named
from cockpit.memory import keep_freed

keep_freed()
line = b"Nov 23 22:15:23 web-1 shop[4711]: error: no answer within %d ms\\n"
data = memoryview(b"".join(line % number for number in range(15_000)))
known = format_named("syslog-3164")
faults = []
for _ in range(12):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    known.columns(data, observed=1_795_000_000_000_000_000)
    faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
print(sorted(faults)[len(faults) // 2])
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library keeps memory by other rules")
def test_pieces_of_a_log_are_indexed_in_the_memory_of_those_before() -> None:
    done = subprocess.run([sys.executable, "-c", _INDEXED], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 50, "pages were asked for again"
