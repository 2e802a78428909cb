# %% [markdown]
# # A randomised trial in nine counts: does the treatment change the outcome?
#
# Dobson (1990), *An Introduction to Generalized Linear Models*, p. 93: patients of three treatments by three outcomes, a
# table of counts. It is the example on R's help page of `glm`, which prints the numbers below.

# %%
import natfit as nf
from natfit.gallery import Book

trial = nf.datasets.load("dobson_rct")
fit = nf.GLM.from_formula("counts ~ C(outcome) + C(treatment)", data=trial, family="poisson").fit()
print(fit.summary())

# %% [markdown]
# The margins of the treatments are equal by design, so their coefficients are zero (to rounding). Whether outcome and
# treatment go together is the residual deviance of this model: 5.13 on 4 degrees of freedom.

# %%
book = Book("R 4.2, glm")
book.compare_coefficients(
    fit,
    {
        "Intercept": ("3.045", "0.1709"),
        "C(outcome)[T.2]": ("-0.4543", "0.2022"),
        "C(outcome)[T.3]": ("-0.2930", "0.1927"),
        "C(treatment)[T.2]": ("0.0000", "0.2000"),
        "C(treatment)[T.3]": ("0.0000", "0.2000"),
    },
)
book.compare("null deviance", fit.null_deviance, "10.5814")
book.compare("residual deviance", fit.deviance, "5.1291")
book.compare("AIC", fit.aic, "56.76")
print(book)
