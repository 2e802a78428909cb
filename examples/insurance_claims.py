# %% [markdown]
# # Who claims on their car insurance?
#
# Claims and policyholders of a British insurer in the third quarter of 1973, by district, engine size and age (Baxter,
# Coutts and Ross, 1980; `MASS::Insurance`; Venables and Ripley, *Modern Applied Statistics with S*, 4th ed.). The number
# of holders is the exposure. Numbers in print: R 4.2 with treatment contrasts.

# %%
import matplotlib.pyplot as plt
import numpy as np

import natfit as nf
from natfit.gallery import Book

insurance = nf.datasets.load("insurance")
fit = nf.GLM.from_formula(
    "Claims ~ C(District) + C(Group) + C(Age)", data=insurance, family="poisson", exposure="Holders"
).fit()
print(fit.summary())

# %%
book = Book("R 4.2, glm")
book.compare_coefficients(
    fit,
    {
        "Intercept": ("-1.82174", "0.07679"),
        "C(District)[T.2]": ("0.02587", "0.04302"),
        "C(District)[T.3]": ("0.03852", "0.05051"),
        "C(District)[T.4]": ("0.23421", "0.06167"),
        "C(Group)[T.1-1.5l]": ("0.16134", "0.05053"),
        "C(Group)[T.1.5-2l]": ("0.39281", "0.05500"),
        "C(Group)[T.>2l]": ("0.56341", "0.07232"),
        "C(Age)[T.25-29]": ("-0.19101", "0.08286"),
        "C(Age)[T.30-35]": ("-0.34495", "0.08137"),
        "C(Age)[T.>35]": ("-0.53667", "0.06996"),
    },
)
book.compare("residual deviance", fit.deviance, "51.42")
book.compare("AIC", fit.aic, "388.74")
print(book)

# %% [markdown]
# Rate ratios, exp(coefficient), with their 95% limits: what an actuary would rather read.

# %%
ratios = np.exp(fit.conf_int().assign(estimate=fit.params).drop(index="Intercept"))
fig, ax = plt.subplots(layout="constrained")
place = np.arange(len(ratios))[::-1]
ax.hlines(place, ratios[0], ratios[1], color="k")
ax.plot(ratios["estimate"], place, "ko")
ax.axvline(1.0, color="0.6", linestyle="--")
ax.set_yticks(place, ratios.index)
ax.set(xlabel="rate ratio to the first level", xscale="log")
ax.set_xticks([0.6, 0.8, 1.0, 1.5, 2.0], ["0.6", "0.8", "1", "1.5", "2"])
ax.minorticks_off()
plt.show()
