"""Freed memory stays in the process: a second large array costs no new pages."""

from __future__ import annotations

import subprocess
import sys

import pytest

SIZE = 8 << 20
CODE = f"""
import resource, numpy as np
from worker.memory import keep_freed
import sys
kept = keep_freed() if sys.argv[1] == "kept" else False
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20): np.ones({SIZE}, np.int8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
print(kept, faults())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a matter of glibc")
def test_a_freed_array_serves_the_next_one():
    outputs = {how: subprocess.run([sys.executable, "-c", CODE, how], capture_output=True, text=True, check=True).stdout.split() for how in ("kept", "plain")}
    if outputs["kept"][0] == "False":
        pytest.skip("no glibc here")
    assert int(outputs["kept"][1]) < 100
    assert outputs["plain"][0] == "False"
