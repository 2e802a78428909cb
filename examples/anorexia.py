# %% [markdown]
# # Does family therapy put weight on?
#
# Weights of 72 anorexic girls before and after treatment, in pounds (Hand et al., 1993, *A Handbook of Small Data Sets*,
# no. 285; R's help page of `anorexia`). The weight before is an offset: what is modelled is the gain. A Gaussian GLM
# with identity link is least squares, and one natural-gradient step ends there.

# %%
import matplotlib.pyplot as plt
import numpy as np

import natfit as nf
from natfit.gallery import Book

anorexia = nf.datasets.load("anorexia")
fit = nf.GLM.from_formula("Postwt ~ Prewt + Treat", data=anorexia, family="gaussian", offset="Prewt").fit()
print(fit.summary())

# %%
book = Book("R 4.2, glm")
book.compare_coefficients(
    fit,
    {
        "Intercept": ("49.7711", "13.3910"),
        "Prewt": ("-0.5655", "0.1612"),
        "Treat[T.Cont]": ("-4.0971", "1.8935"),
        "Treat[T.FT]": ("4.5631", "2.1333"),
    },
)
book.compare("dispersion", fit.scale, "48.69504")
book.compare("residual deviance", fit.deviance, "3311.3")
print(book)

# %%
fig, ax = plt.subplots(layout="constrained")
before = np.linspace(70.0, 95.0, 20)
for treat, name, line, marker in (
    ("FT", "family", "-", "^"),
    ("CBT", "cognitive", "--", "o"),
    ("Cont", "none", ":", "s"),
):
    own = anorexia[anorexia["Treat"] == treat]
    ax.plot(before, fit.predict({"Prewt": before, "Treat": [treat] * 20}, offset=before), "k" + line)
    ax.plot(own["Prewt"], own["Postwt"], "k" + marker, fillstyle="none")
    ax.plot([], [], "k" + line + marker, fillstyle="none", label=f"therapy: {name}")
ax.set(xlabel="weight before, pounds", ylabel="weight after, pounds")
ax.legend()
plt.show()
