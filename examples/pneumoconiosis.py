# %% [markdown]
# # How fast does coal dust harm miners' lungs?
#
# Coal miners by years of exposure and by the state of their lungs: normal, mild, severe (Ashford, 1959; McCullagh and
# Nelder, 1989, section 5.6, who print a slope of 2.597 on the logarithm of the years). The classes are ordered, so one odds
# ratio may serve both boundaries: proportional odds. The other numbers are those of VGAM in R 4.2.

# %%
import matplotlib.pyplot as plt
import numpy as np

import natfit as nf
from natfit.gallery import Book

miners = nf.datasets.load("pneumo")
cumulative = nf.DistributionalRegression.from_formula(
    "normal + mild + severe ~ logt", data=miners, family="cumulative", links="logit"
).fit()
print(cumulative.summary())

# %% [markdown]
# Without an order each class has its own odds against normal: the multinomial logit, with one coefficient more.

# %%
multinomial = nf.DistributionalRegression.from_formula(
    "normal + mild + severe ~ logt", data=miners, family="multinomial"
).fit()
print(multinomial.summary())

# %%
published = Book("McCullagh and Nelder (1989), as in R's VGAM")
published.compare("slope of proportional odds", cumulative.params["logt"], "2.597")
print(published)

book = Book("R 4.2, VGAM::vglm")
book.compare_coefficients(
    cumulative,
    {
        "Y>=mild:Intercept": ("-9.676093", "1.324073"),
        "Y>=severe:Intercept": ("-10.581725", "1.345434"),
        "logt": ("2.596806", "0.381101"),
    },
)
book.compare("proportional odds: log-likelihood", cumulative.llf, "-25.09026")
book.compare_coefficients(
    multinomial,
    {
        "mild:Intercept": ("-8.936030", "1.580438"),
        "mild:logt": ("2.165373", "0.457487"),
        "severe:Intercept": ("-11.975092", "2.000445"),
        "severe:logt": ("3.067466", "0.565207"),
    },
)
book.compare("multinomial: log-likelihood", multinomial.llf, "-25.25054")
print(book)

# %%
years = np.linspace(4, 60, 120)
shares = cumulative.predict({"logt": np.log(years)})
totals = miners[["normal", "mild", "severe"]].sum(axis=1)
fig, ax = plt.subplots(layout="constrained")
for state, line, marker in (("normal", "-", "o"), ("mild", "--", "s"), ("severe", ":", "^")):
    ax.plot(years, np.asarray(shares[state]), "k" + line, label=state)
    ax.plot(miners["exposure.time"], miners[state] / totals, "k" + marker, fillstyle="none")
ax.set(xlabel="years of exposure", ylabel="share of miners")
ax.legend()
plt.show()
