# %% [markdown]
# # Do larger female horseshoe crabs gather more satellites?
#
# 173 females, the width of the carapace in cm and the number of satellite males round each (Brockmann, 1996, Ethology
# 102; Agresti, *Categorical Data Analysis*, section 4.3). The numbers in print are those of R 4.2's `glm` and of
# `glm.nb` in MASS.

# %%
import matplotlib.pyplot as plt
import numpy as np

import natfit as nf
from natfit.gallery import Book

crabs = nf.datasets.load("crabs")
poisson = nf.GLM.from_formula("sat ~ width", data=crabs, family="poisson").fit()
print(poisson.summary())

# %% [markdown]
# Satellites vary more than a Poisson count can: Pearson's statistic is three times its degrees of freedom. The negative
# binomial has room for that, and alpha = 1 / theta says how much. It is estimated together with the coefficients.

# %%
negative_binomial = nf.GLM.from_formula("sat ~ width", data=crabs, family="negative_binomial").fit()
print(negative_binomial.summary())

# %% [markdown]
# With the identity link each further centimetre adds half a satellite. Its means are not all positive at any width, so
# the fit has to be started inside the domain and to stay there: natfit finds a start by itself.

# %%
identity = nf.GLM.from_formula("sat ~ width", data=crabs, family="poisson", link="identity").fit()

# %%
book = Book("R 4.2, glm")
book.compare_coefficients(poisson, {"Intercept": ("-3.304757", "0.542242"), "width": ("0.164045", "0.019965")})
book.compare("deviance", poisson.deviance, "567.88")
book.compare("identity link, Intercept", identity.params["Intercept"], "-11.53205")
book.compare("identity link, width", identity.params["width"], "0.549497")
print(book)

published = Book("Agresti, section 4.3.2")
published.compare("identity link, Intercept", identity.params["Intercept"], "-11.53")
published.compare("identity link, width", identity.params["width"], "0.55")
print(published)

nb_book = Book("R 4.2, MASS::glm.nb")
nb_book.compare_coefficients(
    negative_binomial,
    {"Intercept": ("-4.05251", "1.17143"), "width": ("0.192073", "0.044058")},
)
nb_book.compare("theta", 1.0 / negative_binomial.shape.alpha, "0.904568")
nb_book.compare("2 x log-likelihood", 2.0 * negative_binomial.llf, "-751.291")
print(nb_book)

# %%
width = np.linspace(crabs["width"].min(), crabs["width"].max(), 100)
fig, ax = plt.subplots(layout="constrained")
ax.plot(crabs["width"], crabs["sat"], "o", color="0.6", markersize=4, label="females")
for fit, line, label in (
    (poisson, "-", "Poisson, log"),
    (negative_binomial, "--", "negative binomial, log"),
    (identity, ":", "Poisson, identity"),
):
    ax.plot(width, fit.predict({"width": width}), "k" + line, label=label)
ax.set(xlabel="width of the carapace, cm", ylabel="satellites")
ax.legend(loc="upper left")
plt.show()
