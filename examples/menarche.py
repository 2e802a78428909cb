# %% [markdown]
# # At which age have half of the girls had their first period?
#
# 3,918 girls of Warsaw in 25 age groups (Milicer and Szczotka, 1966; `MASS::menarche`; Venables and Ripley, *Modern
# Applied Statistics with S*, 4th ed.). Numbers in print: R 4.2.

# %%
import matplotlib.pyplot as plt
import numpy as np

import natfit as nf
from natfit.gallery import Book

menarche = nf.datasets.load("menarche")
fit = nf.GLM.from_formula("I(Menarche / Total) ~ Age", data=menarche, family="binomial", trials="Total").fit()
print(fit.summary())

# %%
book = Book("R 4.2, glm")
book.compare_coefficients(fit, {"Intercept": ("-21.22639", "0.77069"), "Age": ("1.63197", "0.05895")})
book.compare("residual deviance", fit.deviance, "26.70")
book.compare("AIC", fit.aic, "114.76")
print(book)

# %% [markdown]
# The age at which half have had it is -intercept / slope. Its standard error by the delta method: the gradient
# (-1/slope, intercept/slope^2) on either side of the covariance of the coefficients.

# %%
intercept, slope = fit.params
median = -intercept / slope
gradient = np.array([-1.0, -median]) / slope
print(f"median age {median:.3f} years, standard error {np.sqrt(gradient @ fit.cov_params() @ gradient):.3f}")

# %%
age = np.linspace(9, 18, 200)
told = fit.get_prediction({"Age": age}).summary_frame()
fig, ax = plt.subplots(layout="constrained")
ax.fill_between(age, told["mean_ci_lower"], told["mean_ci_upper"], color="0.8", label="95% limits of the mean")
ax.plot(age, told["mean"], "k-")
ax.plot(menarche["Age"], menarche["Menarche"] / menarche["Total"], "ko", fillstyle="none", label="age groups")
ax.axvline(median, color="0.5", linestyle="--")
ax.set(xlabel="age, years", ylabel="share of girls")
ax.legend()
plt.show()
