# %% [markdown]
# # How many groups of galaxies?
#
# Velocities of 82 galaxies in the Corona Borealis region, in thousands of km/s (Roeder, 1990; `MASS::galaxies`, its
# known typing error included). Gaps in velocity are voids in space. The likelihood of a Gaussian mixture with free variances
# has no upper bound: a component can close in on one galaxy. natfit's rule for choosing among maxima leaves such ones out
# and says so. Numbers in print: mclust 6 in R 4.2, from 50 starts.

# %%
import matplotlib.pyplot as plt
import numpy as np

import natfit as nf
from natfit.gallery import Book

velocity = nf.datasets.load("galaxies")["velocity"]
three = nf.Mixture("gaussian", n_components=3, covariance="V").fit(velocity, random_state=0)
print(three.summary())

# %%
book = Book("R 4.2, mclust 6")
book.compare("V, 3: log-likelihood", three.llf, "-203.1792")
book.compare("V, 3: BIC", three.bic, "441.612")
for k, (weight, mean, variance) in enumerate(
    (("0.87805", "21.4001", "4.8160"), ("0.08537", "9.7101", "0.17851"), ("0.03658", "33.0444", "0.84956"))
):
    book.compare(f"weight {k}", three.params[f"weight[{k}]"], weight)
    book.compare(f"mean {k}", three.params[f"mean[{k}]"], mean)
    book.compare(f"variance {k}", three.params[f"variance[{k}]"], variance)
equal = nf.Mixture("gaussian", n_components=4, covariance="E").fit(velocity, random_state=0)
book.compare("E, 4: log-likelihood", equal.llf, "-207.7223")
print(book)

# %%
x = np.linspace(8, 36, 600)
fig, ax = plt.subplots(layout="constrained")
ax.hist(velocity, bins=40, density=True, color="0.8", edgecolor="0.5", label="observed")
ax.plot(x, np.exp(three.score_samples(x)), "k-", label="three Gaussians")
ax.plot(x, np.exp(equal.score_samples(x)), "k--", label="four of one variance")
ax.set(xlabel="velocity, 1000 km/s", ylabel="density")
ax.legend()
plt.show()
