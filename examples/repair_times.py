# %% [markdown]
# # How long does it take to repair a transceiver?
#
# 46 active repair times, in hours, of an airborne radio (von Alven, 1964). Chhikara and Folks (1977) fitted the inverse
# Gaussian and printed a mean of 3.61 hours and lambda = 1.66. A distribution is a model too: the same engine fits it, in
# any of its parametrizations.

# %%
import matplotlib.pyplot as plt
import numpy as np

import natfit as nf
from natfit.gallery import Book

hours = nf.datasets.load("repair_times")["hours"]
fit = nf.fit_distribution("inverse_gaussian", hours)
print(fit.summary())

# %%
book = Book("Chhikara and Folks (1977)")
book.compare("mean", fit.params.iloc[0], "3.61")
book.compare("lambda", fit.params.iloc[1], "1.66")
print(book)

closed_form = Book("closed form, R 4.2 and statmod")
closed_form.compare("mean", fit.params.iloc[0], "3.606522")
closed_form.compare("lambda", fit.params.iloc[1], "1.658853")
closed_form.compare("log-likelihood", fit.llf, "-99.05933")
print(closed_form)

# %%
t = np.linspace(0.05, 25, 400)
fig, ax = plt.subplots(layout="constrained")
ax.hist(hours, bins=25, density=True, color="0.8", edgecolor="0.5", label="observed")
ax.plot(t, np.exp(fit.distribution.log_prob(t)), "k-", label="inverse Gaussian")
ax.set(xlabel="repair time, hours", ylabel="density")
ax.legend()
plt.show()
