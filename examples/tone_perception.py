# %% [markdown]
# # Two ways to hear a stretched octave
#
# A trained musician tunes an adjustable tone to the octave above a fundamental whose overtones are stretched by a ratio, 150
# times (Cohen, 1980; De Veaux, 1989; `mixtools::tonedata`). Two rules are possible: the interval memory hypothesis says
# that an octave is a factor of 2, whatever the ratio; the partial matching hypothesis says that the tone is matched to the
# first overtone, which stands at the ratio itself. Nobody wrote down which rule was at work in which trial: a mixture of
# two regressions. Numbers in print: EM from 80 starts with Newton steps after it in R 4.2, checked with mixtools 2.0.

# %%
import matplotlib.pyplot as plt

import natfit as nf
from natfit.gallery import Book

tone = nf.datasets.load("tonedata")
fit = nf.MixtureRegression.from_formula("tuned ~ stretchratio", data=tone, family="gaussian", n_components=2).fit(
    random_state=0
)
print(fit.summary())

# %% [markdown]
# Component 0 tunes to 2, with a slope near 0: memory. Component 1 has a slope of 1 through the origin: matching. With a
# standard deviation for each the likelihood has no upper bound, since many trials lie exactly on lines; natfit's rule for
# choosing among maxima (`nf.Constraint`) leaves out those that a few rows make.

# %%
equal = nf.MixtureRegression.from_formula("tuned ~ stretchratio", data=tone, n_components=2, dispersion="shared").fit(
    random_state=0
)
book = Book("R 4.2, EM and Newton")
book.compare("own sigmas: log-likelihood", fit.llf, "141.198402")
book.compare("BIC", fit.bic, "-247.322358")
for k, component in enumerate(
    (
        {"weight": "0.697720", "Intercept": "1.916380", "stretchratio": "0.0425485", "sigma": "0.0461921"},
        {"weight": "0.302280", "Intercept": "-0.0192747", "stretchratio": "0.992295", "sigma": "0.132834"},
    )
):
    for name, printed in component.items():
        book.compare(f"{name}, component {k}", fit.params[f"{name}[{k}]"], printed)
for name, printed in (
    ("Intercept[0]", "0.0226837"),
    ("stretchratio[0]", "0.0102277"),
    ("Intercept[1]", "0.102186"),
    ("stretchratio[1]", "0.0441088"),
):
    book.compare(f"standard error, {name}", fit.bse[name], printed)
book.compare("one sigma: log-likelihood", equal.llf, "107.256698")
book.compare("one sigma: BIC", equal.bic, "-184.449584")
book.compare("one sigma: weight 0", equal.weights[0], "0.674643")
book.compare("one sigma", equal.params["sigma[0]"], "0.0835682")
print(book)

# %%
print(fit.base.search.n_best, "of", fit.base.search.n_starts, "starts reached this maximum")
print("trials by rule:", fit.classify().value_counts().to_dict())
fit.plot()
plt.show()
