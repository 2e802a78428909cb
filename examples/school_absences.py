# %% [markdown]
# # Which children of Walgett stay away from school?
#
# Days absent of 146 children in rural New South Wales, by ethnic background, sex, age group and learner status (Aitkin,
# 1978; `MASS::quine`; Venables and Ripley, *Modern Applied Statistics with S*, 4th ed., section 7.4). Counts this
# scattered need the negative binomial. Numbers in print: `glm.nb` of MASS, whose standard errors hold theta fixed.

# %%
import matplotlib.pyplot as plt

import natfit as nf
from natfit.gallery import Book

quine = nf.datasets.load("quine")
fit = nf.GLM.from_formula("Days ~ Eth + Sex + Age + Lrn", data=quine, family="negative_binomial").fit()
print(fit.summary())

# %% [markdown]
# Expected information has no cross terms between the mean's coefficients and alpha, so these standard errors are those
# of `glm.nb` too. Observed information has; `fit.shape` holds what it says of alpha.

# %%
print(f"alpha = {fit.shape.alpha:.4f}, standard error {fit.shape.se:.4f}")

book = Book("R 4.2, MASS::glm.nb")
book.compare_coefficients(
    fit,
    {
        "Intercept": ("2.89458", "0.22842"),
        "Eth[T.N]": ("-0.56937", "0.15333"),
        "Sex[T.M]": ("0.08232", "0.15992"),
        "Age[T.F1]": ("-0.44843", "0.23975"),
        "Age[T.F2]": ("0.08808", "0.23619"),
        "Age[T.F3]": ("0.35690", "0.24832"),
        "Lrn[T.SL]": ("0.29211", "0.18647"),
    },
)
book.compare("theta", 1.0 / fit.shape.alpha, "1.275")
book.compare("residual deviance", fit.deviance, "167.95")
book.compare("2 x log-likelihood", 2.0 * fit.llf, "-1093.151")
print(book)

# %%
fit.plot_effect("Age")
plt.show()
