# %% [markdown]
# # How are more rows fitted than the memory would hold?
#
# Four million simulated rows in a Parquet file, read block by block in every pass. What the fit adds to the memory that
# Python and its libraries take anyway is less than the design would need; Linux's own count of it is printed below. The same
# rows fitted in memory are what the estimates are held against.

# %%
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import natfit as nf
from natfit.gallery import Book

ROWS, CHUNK = 4_000_000, 250_000


def simulated(chunk):
    """One run of rows: a count, two numbers and a factor."""
    rng = np.random.default_rng([7, chunk])
    x, z = rng.normal(size=(2, CHUNK))
    group = rng.integers(0, 4, CHUNK)
    y = rng.poisson(np.exp(0.2 + 0.3 * x - 0.2 * z + 0.1 * group))
    return pa.table({"y": y, "x": x, "z": z, "group": np.array(["a", "b", "c", "d"])[group]})


folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "counts.parquet"
with pq.ParquetWriter(path, simulated(0).schema) as writer:
    for chunk in range(ROWS // CHUNK):
        writer.write_table(simulated(chunk))

# %%
source = nf.data.from_parquet(path)
streamed = nf.GLM.from_formula("y ~ x + z + group", data=source, family="poisson").fit()
print(streamed.summary())

# %% [markdown]
# The memory is counted in a program of its own that does nothing but this fit: the most that it ever held, less what it held
# once everything was imported and a first small fit made.

# %%
program = """
import re, sys
import natfit as nf

def most():  # kilobytes, by Linux's count of the process
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read()).group(1))

nf.GLM.from_formula("sat ~ width", data=nf.datasets.load("crabs"), family="poisson").fit().bse
before = most()
nf.GLM.from_formula("y ~ x + z + group", data=nf.data.from_parquet(sys.argv[1]), family="poisson").fit().bse
print(most() - before)
"""
if Path("/proc/self/status").exists():
    added = int(
        subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True).stdout
    )
    print(f"the design in memory would take {ROWS * 6 * 8 / 1e6:.0f} MB; the fit added {added / 1e3:.0f} MB")

# %%
table = pq.read_table(path).to_pandas()
whole = nf.GLM.from_formula("y ~ x + z + group", data=table, family="poisson").fit()
book = Book("the same rows in memory")
for name in whole.params.index:
    book.compare(name, streamed.params[name], f"{whole.params[name]:.10f}")
    book.compare(f"{name}, s.e.", streamed.bse[name], f"{whole.bse[name]:.8f}")
book.compare("log-likelihood", streamed.llf, f"{whole.llf:.4f}")
print(book)
folder.cleanup()
