# %% [markdown]
# # How much petrol does a crude oil yield?
#
# Prater (1956): the share of crude oil turned into gasoline, for ten batches of crude and several end points of
# distillation in degrees Fahrenheit. Shares lie between 0 and 1, so the model is a beta law whose mean has a logit link
# (Ferrari and Cribari-Neto, 2004, *Journal of Applied Statistics* 31, Table 1, who print 0.01097 for temperature and
# 440.28 for the precision). The other numbers are R 4.2's, by direct maximization.

# %%
import matplotlib.pyplot as plt
import numpy as np

import natfit as nf
from natfit.gallery import Book

gasoline = nf.datasets.load("gasoline")
links = {"precision": "log"}
constant = nf.DistributionalRegression.from_formula(
    {"mean": "yield ~ C(batch) + temp", "precision": "~ 1"}, data=gasoline, family="beta", links=links
).fit()
print(constant.summary())

# %% [markdown]
# Does the precision change with temperature, too? Then it gets a formula of its own.

# %%
varying = nf.DistributionalRegression.from_formula(
    {"mean": "yield ~ C(batch) + temp", "precision": "~ temp"}, data=gasoline, family="beta", links=links
).fit()
print(varying.summary())
print(f"twice the gain in log-likelihood: {2 * (varying.llf - constant.llf):.2f} for one more coefficient")

# %%
published = Book("Ferrari and Cribari-Neto (2004), Table 1")
published.compare("temp", constant.params["mean:temp"], "0.01097")
published.compare("precision", np.exp(constant.params["precision:Intercept"]), "440.28")
print(published)

book = Book("R 4.2, direct maximization")
book.compare_coefficients(
    constant,
    {
        "mean:Intercept": ("-6.15957", "0.18232"),
        "mean:C(batch)[T.1]": ("1.72773", "0.10123"),
        "mean:C(batch)[T.9]": ("0.38579", "0.11859"),
        "mean:temp": ("0.0109669", "0.0004126"),
        "precision:Intercept": ("6.08741", "0.24990"),
    },
)
book.compare("log-likelihood", constant.llf, "84.7976")
book.compare_coefficients(
    varying,
    {"mean:temp": ("0.0103595", "0.0004362"), "precision:temp": ("0.0145703", "0.0036183")},
)
book.compare("log-likelihood, varying precision", varying.llf, "86.9771")
print(book)

# %%
fig, ax = plt.subplots(layout="constrained")
for batch, line, marker in ((1, "-", "o"), (4, "--", "s"), (10, ":", "^")):
    own = gasoline[gasoline["batch"].astype(int) == batch]
    temp = np.linspace(190, 450, 100)
    rows = {"batch": np.repeat(own["batch"].iloc[:1].to_numpy(), 100), "temp": temp}
    ax.plot(temp, constant.predict(rows), "k" + line)
    ax.plot(own["temp"], own["yield"], "k" + marker)
    ax.plot([], [], "k" + line + marker, label=f"batch {batch}")
ax.set(xlabel="end point, degrees Fahrenheit", ylabel="share of gasoline")
ax.legend()
plt.show()
