# %% [markdown]
# # Deaths by horse kick in the Prussian army: the law of small numbers
#
# Ten corps, twenty years: in 109 of the 200 corps-years nobody was killed, in one four men were (von Bortkiewicz, 1898;
# Andrews and Herzberg, 1985). The counts are frequency weights.

# %%
import matplotlib.pyplot as plt
import numpy as np

import natfit as nf
from natfit.gallery import Book

kicks = nf.datasets.load("horsekicks")
fit = nf.fit_distribution("poisson", kicks["deaths"], freq_weights=kicks["freq"])
print(fit.summary())

# %%
expected = kicks["freq"].sum() * np.exp(fit.distribution.log_prob(kicks["deaths"]))
book = Book("R 4.2, vcd::goodfit")
book.compare("deaths a year and corps", fit.params.iloc[0], "0.61")
book.compare("standard error", fit.bse.iloc[0], "0.05523")
book.compare("log-likelihood", fit.llf, "-206.1067")
for deaths, count in enumerate(("108.67", "66.29", "20.22", "4.11", "0.63")):
    book.compare(f"corps-years expected with {deaths} deaths", expected[deaths], count)
print(book)

# %%
fig, ax = plt.subplots(layout="constrained")
ax.bar(kicks["deaths"], kicks["freq"], color="0.8", edgecolor="0.4", label="observed")
ax.plot(kicks["deaths"], expected, "ko-", label="Poisson")
ax.set(xlabel="deaths in a corps and year", ylabel="corps-years")
ax.set_xticks(kicks["deaths"])
ax.legend()
plt.show()
