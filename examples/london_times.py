# %% [markdown]
# # Do deaths of the old come from one Poisson process, or two?
#
# Death notices of women of eighty and over in *The Times*, one count for each day of 1910 to 1912 (Hasselblad, 1969;
# Titterington, Smith and Makov, 1985, who print weights 0.3599 and 0.6401 and means 1.256 and 2.663). Winter and summer make
# a mixture.

# %%
import matplotlib.pyplot as plt
import numpy as np

import natfit as nf
from natfit.gallery import Book

times = nf.datasets.load("london_times")
mixture = nf.Mixture("poisson", n_components=2).fit(times["deaths"], freq_weights=times["freq"], random_state=0)
print(mixture.summary())

# %% [markdown]
# natfit starts with EM, which is a natural gradient in the metric of the complete data, and finishes in the metric of the
# data observed: the table says after how many iterations.

# %%
book = Book("Titterington, Smith and Makov (1985)")
book.compare("larger weight", mixture.params["weight[0]"], "0.6401")
book.compare("smaller weight", mixture.params["weight[1]"], "0.3599")
book.compare("mean of the larger", mixture.params["rate[0]"], "2.663")
book.compare("mean of the smaller", mixture.params["rate[1]"], "1.256")
print(book)

reference = Book("R 4.2, EM and Newton")
reference.compare("log-likelihood", mixture.llf, "-1989.94586")
reference.compare("larger mean", mixture.params["rate[0]"], "2.663404")
print(reference)

# %%
one = nf.fit_distribution("poisson", times["deaths"], freq_weights=times["freq"])
days = times["freq"].sum()
fig, ax = plt.subplots(layout="constrained")
ax.bar(times["deaths"], times["freq"], color="0.8", edgecolor="0.4", label="observed")
ax.plot(times["deaths"], days * np.exp(one.distribution.log_prob(times["deaths"])), "ks--", label="one Poisson")
ax.plot(times["deaths"], days * np.exp(mixture.score_samples(times["deaths"])), "ko-", label="two")
ax.set(xlabel="deaths in a day", ylabel="days")
ax.legend()
plt.show()
