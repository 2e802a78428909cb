# %% [markdown]
# # When a logistic regression has no answer: separation in practice
#
# Fisher's irises (1936): can the sepal's length and width tell *Iris setosa* from the other two species? They can,
# without a single mistake, and that is the trouble. The likelihood rises for ever as the coefficients grow, so there is no
# maximum to report. Programs that do not look print coefficients in the hundreds and standard errors in the thousands.

# %%
import warnings

import matplotlib.pyplot as plt
import numpy as np

import natfit as nf
from natfit.gallery import Book

iris = nf.datasets.load("iris").assign(setosa=lambda table: (table["Species"] == "setosa").astype(float))
model = nf.GLM.from_formula("setosa ~ Q('Sepal.Length') + Q('Sepal.Width')", data=iris, family="binomial")
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    plain = model.fit()
print(told[0].message)
print(plain.summary())

# %% [markdown]
# natfit says which rows can be fitted ever better and along which coefficients, and gives no standard errors where none
# exist. Firth's bias reduction adds half the log-determinant of the Fisher information to the log-likelihood: the logarithm
# of the Fisher metric's volume, Jeffreys' prior. It is finite here, with profile limits of the penalised likelihood.

# %%
firth = model.fit(bias_reduction="firth")
print(firth.summary())
print(firth.conf_int(method="profile").round(2))

# %%
book = Book("R 4.2, brglm 0.7.2")
printed = (("24.29984", "12.25560"), ("-10.01872", "3.41573"), ("9.42313", "2.86200"))
for name, (estimate, error) in zip(firth.params.index, printed, strict=True):
    book.compare(name, firth.params[name], estimate)
    book.compare(f"{name}, s.e.", firth.bse[name], error)
for row, fitted in enumerate(("0.997945", "0.970040", "0.999368")):
    book.compare(f"fitted probability of flower {row + 1}", firth.fittedvalues.iloc[row], fitted)
print(book)

# %%
length = np.linspace(iris["Sepal.Length"].min(), iris["Sepal.Length"].max(), 100)
b0, b1, b2 = firth.params
fig, ax = plt.subplots(layout="constrained")
for is_setosa, marker, label in ((1.0, "o", "setosa"), (0.0, "x", "versicolor, virginica")):
    flowers = iris[iris["setosa"] == is_setosa]
    ax.plot(flowers["Sepal.Length"], flowers["Sepal.Width"], "k" + marker, fillstyle="none", label=label)
for share, line in ((0.05, ":"), (0.5, "-"), (0.95, "--")):
    edge = (np.log(share / (1.0 - share)) - b0 - b1 * length) / b2
    ax.plot(length, edge, "k" + line, label=f"P(setosa) = {share:g}")
ax.set(xlabel="sepal length, cm", ylabel="sepal width, cm", ylim=(1.9, 4.6))
ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
plt.show()
