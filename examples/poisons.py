# %% [markdown]
# # How long do animals survive three poisons under four treatments?
#
# 48 animals, survival in units of ten hours (Box and Cox, 1964; `boot::poisons`). Box and Cox turned to 1 / time; an
# inverse Gaussian with its canonical link, 1 / mean^2, models the times as they are. The numbers in print are a program's,
# R 4.2's, not a book's.

# %%
import matplotlib.pyplot as plt

import natfit as nf
from natfit.gallery import Book

poisons = nf.datasets.load("poisons")
fit = nf.GLM.from_formula("time ~ C(poison) + C(treat)", data=poisons, family="inverse_gaussian").fit()
print(fit.summary())

# %%
book = Book("R 4.2, glm")
book.compare_coefficients(
    fit,
    {
        "Intercept": ("7.8269", "1.1992"),
        "C(poison)[T.2]": ("0.5605", "0.5172"),
        "C(poison)[T.3]": ("9.5682", "1.3100"),
        "C(treat)[T.B]": ("-6.7185", "1.2145"),
        "C(treat)[T.C]": ("-3.2788", "1.4153"),
        "C(treat)[T.D]": ("-5.7493", "1.2623"),
    },
)
book.compare("dispersion", fit.scale, "0.135708")
book.compare("residual deviance", fit.deviance, "5.4549")
print(book)

# %%
fig, ax = plt.subplots(layout="constrained")
means = poisons.assign(fitted=fit.predict()).groupby(["treat", "poison"])[["time", "fitted"]].mean()
for treat, line, marker in zip("ABCD", ("-", "--", ":", "-."), "os^D", strict=True):
    own = means.loc[treat]
    ax.plot(own.index.astype(str), own["fitted"], "k" + line)
    ax.plot(own.index.astype(str), own["time"], "k" + marker, fillstyle="none")
    ax.plot([], [], "k" + line + marker, fillstyle="none", label=f"treatment {treat}")
ax.set(xlabel="poison", ylabel="mean survival, ten hours (lines: fitted)")
ax.legend()
plt.show()
