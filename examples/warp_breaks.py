# %% [markdown]
# # What makes yarn break on the loom?
#
# Breaks of the warp on 54 looms, two wools at three tensions (Tippett, 1950; McNeil, 1977, *Interactive Data Analysis*;
# R's `warpbreaks`). Numbers in print: R 4.2, Poisson with interaction.

# %%
import matplotlib.pyplot as plt

import natfit as nf
from natfit.gallery import Book

warpbreaks = nf.datasets.load("warpbreaks")
fit = nf.GLM.from_formula("breaks ~ wool * tension", data=warpbreaks, family="poisson").fit()
print(fit.summary())

# %%
book = Book("R 4.2, glm")
book.compare_coefficients(
    fit,
    {
        "Intercept": ("3.79674", "0.04994"),
        "wool[T.B]": ("-0.45663", "0.08019"),
        "tension[T.M]": ("-0.61868", "0.08440"),
        "tension[T.H]": ("-0.59580", "0.08378"),
        "wool[T.B]:tension[T.M]": ("0.63818", "0.12215"),
        "wool[T.B]:tension[T.H]": ("0.18836", "0.12990"),
    },
)
book.compare("residual deviance", fit.deviance, "182.31")
book.compare("AIC", fit.aic, "468.97")
print(book)

# %% [markdown]
# Six cells, six coefficients: the fitted means are the cells' averages. But a Poisson's residual deviance would be near
# its 48 degrees of freedom, not 182, so these standard errors are too small. White's sandwich says by how much.

# %%
robust = nf.GLM.from_formula("breaks ~ wool * tension", data=warpbreaks, family="poisson").fit(cov_type="HC0")
print((robust.bse / fit.bse).round(2).to_string())

# %%
cells = warpbreaks.groupby(["wool", "tension"], observed=True)["breaks"].mean().unstack()
fig, ax = plt.subplots(layout="constrained")
for (wool, means), marker, line in zip(cells.iterrows(), "os", ("-", "--"), strict=True):
    ax.plot(means.index.astype(str), means, "k" + marker + line, label=f"wool {wool}")
ax.set(xlabel="tension", ylabel="breaks per loom")
ax.legend()
plt.show()
