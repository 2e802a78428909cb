# %% [markdown]
# # Are there three species in the irises, if nobody tells?
#
# Fisher (1936): 150 flowers, four measurements in centimetres. BIC prefers two clusters, *setosa* and the rest; asked for
# three of the same model the mixture finds the species but for a few flowers (Fraley and Raftery, 2002). Numbers in print:
# mclust 6 in R 4.2, the best of 50 starts.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import natfit as nf
from natfit.gallery import Book

iris = nf.datasets.load("iris")
measured = iris.drop(columns="Species")
two = nf.Mixture("gaussian", n_components=2, covariance="VEV").fit(measured, random_state=0)
three = nf.Mixture("gaussian", n_components=3, covariance="VEV").fit(measured, random_state=0)
print(pd.crosstab(iris["Species"], np.asarray(three.predict(measured)), colnames=["component"]))

# %%
book = Book("R 4.2, mclust 6")
book.compare("VEV, 2: log-likelihood", two.llf, "-215.726")
book.compare("VEV, 2: BIC", two.bic, "561.728")
book.compare("VEV, 3: log-likelihood", three.llf, "-186.073")
book.compare("VEV, 3: BIC", three.bic, "562.551")
book.compare("larger weight of the two", two.params["weight[0]"], "0.666668")
print(book)

# %%
three.plot(columns=["Sepal.Width", "Petal.Length"])
plt.show()
