# %% [markdown]
# # Does a pyrethroid kill male budworm moths at lower doses than females?
#
# Twelve batches of twenty tobacco budworm moths, doses doubling from 1 to 32 micrograms (Collett, 1991, *Modelling Binary
# Data*; Venables and Ripley, *Modern Applied Statistics with S*, 4th ed., section 7.2, p. 190). Numbers in print: R 4.2.

# %%
import matplotlib.pyplot as plt
import numpy as np

import natfit as nf
from natfit.gallery import Book

budworm = nf.datasets.load("budworm")
fit = nf.GLM.from_formula("I(numdead / n) ~ sex * ldose", data=budworm, family="binomial", trials="n").fit()
print(fit.summary())

# %%
book = Book("R 4.2, glm")
book.compare_coefficients(
    fit,
    {
        "Intercept": ("-2.9935", "0.5527"),
        "sex[T.M]": ("0.1750", "0.7783"),
        "ldose": ("0.9060", "0.1671"),
        "sex[T.M]:ldose": ("0.3529", "0.2700"),
    },
)
book.compare("residual deviance", fit.deviance, "4.9937")
book.compare("null deviance", fit.null_deviance, "124.8756")
print(book)

# %% [markdown]
# The slopes hardly differ (z = 1.3). With one slope for both sexes the males' curve lies to the left of the females'.

# %%
parallel = nf.GLM.from_formula("I(numdead / n) ~ sex + ldose", data=budworm, family="binomial", trials="n").fit()
ldose = np.linspace(0, 5, 100)
fig, ax = plt.subplots(layout="constrained")
for sex, marker, line in (("M", "o", "-"), ("F", "s", "--")):
    batches = budworm[budworm["sex"] == sex]
    ax.plot(2.0 ** batches["ldose"], batches["numdead"] / batches["n"], "k" + marker, fillstyle="none")
    curve = parallel.predict({"sex": np.repeat(sex, 100), "ldose": ldose})
    ax.plot(2.0**ldose, curve, "k" + line, label={"M": "male", "F": "female"}[sex])
ax.set(xlabel="dose, micrograms (log scale)", ylabel="share killed", xscale="log")
ax.set_xticks([1, 2, 4, 8, 16, 32], ["1", "2", "4", "8", "16", "32"])
ax.minorticks_off()
ax.legend()
plt.show()
