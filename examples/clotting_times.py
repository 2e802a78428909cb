# %% [markdown]
# # How fast does plasma clot as it is diluted?
#
# Clotting times in seconds of two lots of plasma, diluted to nine percentages (McCullagh and Nelder, 1989, *Generalized
# Linear Models*, section 8.4.2, pp. 300-302; R's help page of `glm`). The spread grows with the mean: a gamma law, with
# its canonical inverse link linear in the logarithm of the concentration.

# %%
import matplotlib.pyplot as plt
import numpy as np

import natfit as nf
from natfit.gallery import Book

clotting = nf.datasets.load("clotting")
fits = {
    lot: nf.GLM.from_formula(f"{lot} ~ log(u)", data=clotting, family="gamma", link="inverse").fit()
    for lot in ("lot1", "lot2")
}
print(fits["lot1"].summary())

# %%
book = Book("R 4.2, glm to epsilon = 1e-14")
printed = {
    "lot1": ("-0.01655438", "0.00092755", "0.01534311", "0.00041496", "0.002446"),
    "lot2": ("-0.02390847", "0.00132646", "0.02359921", "0.00057678", "0.001813"),
}
for lot, (intercept, intercept_se, slope, slope_se, dispersion) in printed.items():
    fit = fits[lot]
    book.compare(f"{lot}: Intercept", fit.params["Intercept"], intercept)
    book.compare(f"{lot}: Intercept, s.e.", fit.bse["Intercept"], intercept_se)
    book.compare(f"{lot}: log(u)", fit.params["log(u)"], slope)
    book.compare(f"{lot}: log(u), s.e.", fit.bse["log(u)"], slope_se)
    book.compare(f"{lot}: dispersion", fit.scale, dispersion)
print(book)

# %%
u = np.geomspace(5, 100, 100)
fig, ax = plt.subplots(layout="constrained")
for (lot, fit), marker, line in zip(fits.items(), "os", ("-", "--"), strict=True):
    ax.plot(clotting["u"], clotting[lot], "k" + marker, fillstyle="none", label=lot)
    ax.plot(u, fit.predict({"u": u}), "k" + line)
ax.set(xlabel="plasma, % (log scale)", ylabel="clotting time, s", xscale="log")
ax.set_xticks([5, 10, 20, 50, 100], ["5", "10", "20", "50", "100"])
ax.minorticks_off()
ax.legend()
plt.show()
