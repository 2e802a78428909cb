# %% [markdown]
# Do larger female horseshoe crabs gather more satellites?
#
# Data: 173 females with the carapace's width in cm and the number of satellite males (Brockmann, 1996, Ethology 102;
# Agresti, Categorical Data Analysis, 3rd ed., section 4.3.2). The numbers to agree with are R 4.2.2's.

# %%
import natfit as nf

crabs = nf.datasets.load("crabs")
poisson = nf.GLM.from_formula("sat ~ width", data=crabs, family="poisson").fit()
print(poisson.summary())

# %% [markdown]
# Counts of satellites vary more than a Poisson's: the Pearson statistic is three times its degrees of freedom. The
# negative binomial has room for that, and alpha = 1 / theta says how much.

# %%
negative_binomial = nf.GLM.from_formula("sat ~ width", data=crabs, family="negative_binomial").fit()
print(negative_binomial.summary())

# %%
R = {
    "Poisson, width": (poisson.params["width"], 0.164045087174923, poisson.bse["width"], 0.0199653474017464),
    "negative binomial, width": (
        negative_binomial.params["width"],
        0.19207322341753,
        negative_binomial.bse["width"],
        0.044058212018822,
    ),
}
for name, (ours, theirs, our_se, their_se) in R.items():
    print(f"{name:26s} natfit {ours:.8f} ({our_se:.8f})   R {theirs:.8f} ({their_se:.8f})")
print(f"theta: natfit {1 / negative_binomial.shape.alpha:.8f}   R 0.90456808")
