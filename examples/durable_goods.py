# %% [markdown]
# # Expenditure that is often exactly zero: a Tweedie model
#
# Tobin (1958): expenditure of twenty households on durable goods, many of them none at all, with age and liquidity ratio
# (`survival::tobin`). A Tweedie law with variance power between 1 and 2 has an atom at zero and a density above it. The
# numbers in print are a program's (R 4.2 with statmod), not a book's.

# %%
import natfit as nf
from natfit.gallery import Book

tobin = nf.datasets.load("tobin")
fit = nf.GLM.from_formula("durable ~ age + quant", data=tobin, family=nf.families.Tweedie(1.5), link="log").fit()
print(fit.summary())

# %%
book = Book("R 4.2, statmod::tweedie")
book.compare_coefficients(
    fit,
    {"Intercept": ("6.79790", "4.35714"), "age": ("-0.02373", "0.05116"), "quant": ("-0.02262", "0.01629")},
)
book.compare("dispersion", fit.scale, "3.38899")
book.compare("residual deviance", fit.deviance, "76.968")
print(book)
