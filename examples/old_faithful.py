# %% [markdown]
# # How many kinds of eruption has Old Faithful?
#
# 272 eruptions of the geyser in Yellowstone: how long they lasted, and the wait for the next, in minutes (Azzalini and
# Bowman, 1990; Fraley and Raftery, 2002; Scrucca et al., 2016, *R Journal* 8(1)). Two, to the eye; by BIC three ellipses of
# one shape. Numbers in print: mclust 6 in R 4.2, the best of 50 starts.

# %%
import matplotlib.pyplot as plt
import numpy as np

import natfit as nf
from natfit.gallery import Book

faithful = nf.datasets.load("faithful")
two = nf.Mixture("gaussian", n_components=2, covariance="VVV").fit(faithful, random_state=0)
three = nf.Mixture("gaussian", n_components=3, covariance="EEE").fit(faithful, random_state=0)
print(three.summary())

# %%
book = Book("R 4.2, mclust 6")
book.compare("VVV, 2: log-likelihood", two.llf, "-1130.264")
book.compare("VVV, 2: BIC", two.bic, "2322.192")
book.compare("VVV, 2: larger weight", two.params["weight[0]"], "0.644127")
book.compare("VVV, 2: its mean eruption", two.params["mean[eruptions][0]"], "4.28966")
book.compare("VVV, 2: its mean wait", two.params["mean[waiting][0]"], "79.9681")
book.compare("VVV, 2: its variance of the wait", two.params["cov[waiting, waiting][0]"], "36.0462")
book.compare("EEE, 3: log-likelihood", three.llf, "-1126.316")
book.compare("EEE, 3: BIC", three.bic, "2314.296")
print(book)

# %%
labels = two.predict(faithful)
grid = np.stack(np.meshgrid(np.linspace(0.8, 6.2, 120), np.linspace(30, 108, 120)), axis=-1)
density = np.asarray(two.score_samples(grid.reshape(-1, 2))).reshape(120, 120)
fig, ax = plt.subplots(layout="constrained")
for label, marker in ((0, "o"), (1, "^")):
    own = faithful[np.asarray(labels) == label]
    ax.plot(own["eruptions"], own["waiting"], "k" + marker, fillstyle="none", markersize=4, label=f"component {label}")
ax.contour(grid[..., 0], grid[..., 1], density, levels=[-9, -7, -6, -5], colors="0.4", linestyles="-")
ax.set(xlabel="eruption, minutes", ylabel="wait for the next, minutes")
ax.legend(loc="upper left")
plt.show()
