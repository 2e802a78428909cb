# %% [markdown]
# # Which curve do the beetles follow: logit, probit or complementary log-log?
#
# Bliss (1935): groups of some sixty beetles, five hours in carbon disulphide at eight concentrations. Dobson and
# Barnett, *An Introduction to Generalized Linear Models*, Table 7.2 and section 7.3. The numbers in print are R 4.2's.

# %%
import matplotlib.pyplot as plt
import numpy as np

import natfit as nf
from natfit.gallery import Book

beetles = nf.datasets.load("beetles")
fits = {
    link: nf.GLM.from_formula("I(killed / n) ~ dose", data=beetles, family="binomial", link=link, trials="n").fit()
    for link in ("logit", "probit", "cloglog")
}
print(fits["cloglog"].summary())

# %% [markdown]
# The deviances have six degrees of freedom each. Only the asymmetric curve fits: it climbs slowly from 0 and fast to 1.

# %%
printed = {
    "logit": ("-60.717", "5.181", "34.270", "2.912", "11.232"),
    "probit": ("-34.935", "2.648", "19.728", "1.487", "10.120"),
    "cloglog": ("-39.572", "3.240", "22.041", "1.799", "3.4464"),
}
book = Book("R 4.2, glm")
for link, (intercept, intercept_se, dose, dose_se, deviance) in printed.items():
    fit = fits[link]
    book.compare(f"{link}: Intercept", fit.params["Intercept"], intercept)
    book.compare(f"{link}: Intercept, s.e.", fit.bse["Intercept"], intercept_se)
    book.compare(f"{link}: dose", fit.params["dose"], dose)
    book.compare(f"{link}: dose, s.e.", fit.bse["dose"], dose_se)
    book.compare(f"{link}: deviance", fit.deviance, deviance)
print(book)

# %%
dose = np.linspace(1.65, 1.92, 200)
fig, ax = plt.subplots(layout="constrained")
ax.plot(beetles["dose"], beetles["killed"] / beetles["n"], "ko", label="observed")
for (link, fit), line in zip(fits.items(), ("-", "--", ":"), strict=True):
    ax.plot(dose, fit.predict({"dose": dose}), "k" + line, label=link)
ax.set(xlabel="log10 of the concentration, mg per litre", ylabel="share killed")
ax.legend()
plt.show()
