# %% [markdown]
# # Why do some doctoral students publish nothing?
#
# Articles of 915 biochemists in the last three years of their doctorate (Long, 1990; `pscl::bioChemists`; Zeileis, Kleiber
# and Jackman, 2008, *Journal of Statistical Software* 27(8)). Many have none: more than a Poisson count allows. A
# zero-inflated Poisson lets some students be ones who never publish, with a formula for that probability.

# %%
import matplotlib.pyplot as plt
import numpy as np

import natfit as nf
from natfit.gallery import Book

students = nf.datasets.load("biochemists")
right = "fem + mar + kid5 + phd + ment"
inflated = nf.DistributionalRegression.from_formula(
    f"art ~ {right} | {right}", data=students, family="zero_inflated_poisson"
).fit(cov_type="OIM")
print(inflated.summary())

# %% [markdown]
# The mentor's articles matter twice: they raise the count of those who publish, and they lower the odds of being one who
# never does. The numbers in print are R 4.2's (`zeroinfl` of pscl), with standard errors from the observed information.

# %%
book = Book("R 4.2, zero-inflated Poisson")
book.compare_coefficients(
    inflated,
    {
        "rate:Intercept": ("0.64084", "0.12131"),
        "rate:fem[T.Women]": ("-0.20914", "0.06340"),
        "rate:mar[T.Married]": ("0.10375", "0.07111"),
        "rate:kid5": ("-0.14332", "0.04743"),
        "rate:phd": ("-0.00617", "0.03101"),
        "rate:ment": ("0.01810", "0.00229"),
        "inflation:Intercept": ("-0.57706", "0.50939"),
        "inflation:fem[T.Women]": ("0.10975", "0.28008"),
        "inflation:mar[T.Married]": ("-0.35401", "0.31761"),
        "inflation:kid5": ("0.21710", "0.19648"),
        "inflation:phd": ("0.00127", "0.14526"),
        "inflation:ment": ("-0.13411", "0.04525"),
    },
)
book.compare("log-likelihood", inflated.llf, "-1604.773")
print(book)

# %%
poisson = nf.GLM.from_formula(f"art ~ {right}", data=students, family="poisson").fit()
counts = np.arange(8)
rate = inflated.predict(what="rate").to_numpy()[:, None]
share = inflated.predict(what="inflation").to_numpy()[:, None]
log_factorial = np.cumsum(np.log(np.maximum(counts, 1)))


def expected(mean):
    return np.exp(counts * np.log(mean) - mean - log_factorial)


fig, ax = plt.subplots(layout="constrained")
observed = [(students["art"] == count).sum() for count in counts]
ax.bar(counts, observed, color="0.8", edgecolor="0.4", label="observed")
ax.plot(counts, expected(poisson.fittedvalues.to_numpy()[:, None]).sum(axis=0), "ks--", label="Poisson")
ax.plot(counts, (share * (counts == 0) + (1.0 - share) * expected(rate)).sum(axis=0), "ko-", label="zero-inflated")
ax.set(xlabel="articles in three years", ylabel="students")
ax.legend()
plt.show()
