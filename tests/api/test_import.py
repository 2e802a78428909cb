"""What importing natfit brings along: nothing that takes long and may not be needed."""

from __future__ import annotations

import subprocess
import sys

SLOW = ("pandas", "formulaic", "tabmat", "statsmodels", "matplotlib", "sklearn")


def test_a_glm_of_arrays_imports_nothing_that_it_does_not_need():
    code = (
        "import sys, numpy as np, natfit as nf\n"
        "model = nf.GLM(np.ones(4), np.ones((4, 1)))\n"
        f"print([name for name in {SLOW} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
