# %% [markdown]
# # Which ships are damaged by waves?
#
# Damage incidents of cargo ships by type, year of construction and period of operation, with the months of service that
# they are of (McCullagh and Nelder, 1989, section 6.3.2, p. 204; `MASS::ships`). The service is the exposure: twice the
# months, twice the incidents expected.

# %%
import natfit as nf
from natfit.gallery import Book

ships = nf.datasets.load("ships").query("service > 0")
model = nf.GLM.from_formula(
    "incidents ~ C(type) + C(year) + C(period)", data=ships, family="poisson", exposure="service"
)
poisson = model.fit()
print(poisson.summary())

# %% [markdown]
# Incidents of one ship are not independent, so the book lets the variance exceed the mean and estimates the dispersion:
# 1.69. Estimates stay, standard errors grow by its root.

# %%
quasi = model.fit(scale="X2")

# %%
book = Book("R 4.2, glm")
printed = {
    "Intercept": ("-6.40590", "0.21744"),
    "C(type)[T.B]": ("-0.54334", "0.17759"),
    "C(type)[T.C]": ("-0.68740", "0.32905"),
    "C(type)[T.D]": ("-0.07596", "0.29058"),
    "C(type)[T.E]": ("0.32558", "0.23588"),
    "C(year)[T.65]": ("0.69714", "0.14964"),
    "C(year)[T.70]": ("0.81843", "0.16977"),
    "C(year)[T.75]": ("0.45343", "0.23317"),
    "C(period)[T.75]": ("0.38447", "0.11827"),
}
book.compare_coefficients(poisson, printed)
book.compare("deviance", poisson.deviance, "38.695")
book.compare("C(period)[T.75], s.e. with it", quasi.bse["C(period)[T.75]"], "0.15380")
print(book)

published = Book("McCullagh and Nelder (1989), section 6.3.2")
published.compare("dispersion", quasi.scale, "1.69")
print(published)
