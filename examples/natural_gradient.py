# %% [markdown]
# # From gradient descent to the natural gradient, formula by formula
#
# Every formula here is computed twice, by different means, and the two numbers stand side by side. Signs: L is the
# log-likelihood of an average row, which we climb; the loss is -L, which descent goes down, so that "gradient descent" adds
# a multiple of grad L. Data: the widths in cm of 173 horseshoe crabs, with a Gaussian of mean m and variance v (or
# precision 1/v).

# %%
import matplotlib.pyplot as plt
import numpy as np
from scipy import optimize

import natfit as nf
from natfit.gallery import Book

width = nf.datasets.load("crabs")["width"].to_numpy()
n = width.size
gaussian = nf.families.Gaussian()
start = np.array([25.0, 9.0])  # mean and variance from which everything below sets out

# %% [markdown]
# ## 1. Gradient descent depends on how the model is written
#
# One step along the gradient of the average log-likelihood, from the same distribution and with the same step size: first
# in (m, v), then in (m, 1/v). The step in v adds h dL/dv. In the precision r = 1/v the chain rule gives dL/dr = -v^2 dL/dv,
# and dv = -v^2 dr, so that v moves v^4 times as far.


# %%
def average_score(parametrization, params):
    return gaussian.score(width, params, parametrization).mean(axis=0)


h = 0.001
ends = {}
for name in ("variance", "precision"):
    here = gaussian.from_home(start, name)
    ends[name] = gaussian.to_home(here + h * average_score(name, here), name)
moved = {name: end[1] - start[1] for name, end in ends.items()}
print(f"after one step the variance is {ends['variance'][1]:.5f} or {ends['precision'][1]:.5f}")
steps = Book("chain rule: v^4")
small = 1e-9
there = gaussian.from_home(start, "precision")
shift = gaussian.to_home(there + small * average_score("precision", there), "precision")[1] - start[1]
steps.compare("ratio of the two moves", shift / (small * average_score("variance", start)[1]), "6561")
print(steps)

fig, ax = plt.subplots(layout="constrained")
grid = np.stack(np.meshgrid(np.linspace(23.8, 26.8, 90), np.linspace(3.4, 13.6, 90)), axis=-1)
away = np.array([gaussian.log_prob(width, point).mean() for point in grid.reshape(-1, 2)]).reshape(90, 90)
ax.contour(grid[..., 0], grid[..., 1], away, levels=20, colors="0.75", linestyles="-", linewidths=0.8)
for name, line, marker in (("variance", "-", "o"), ("precision", "--", "s")):
    here = gaussian.from_home(start, name)
    path = [start]
    for _ in range(120):
        here = here + 0.02 * average_score(name, here)
        path.append(gaussian.to_home(here, name))
    ax.plot(*np.array(path).T, "k" + line, marker=marker, markevery=20, fillstyle="none", label=f"steps in the {name}")
ax.plot(width.mean(), width.var(), "k*", markersize=12, linestyle="none", label="maximum")
ax.set(xlabel="mean, cm", ylabel="variance, squared cm", xlim=(24.6, 26.6), ylim=(3.4, 10.0))
ax.legend(loc="upper right")
plt.show()

# %% [markdown]
# ## 2. Entropy, cross-entropy, Kullback-Leibler divergence
#
# With p the distribution at hand and q another, in nats:
#
#     entropy        H(p)    = -E_p[log p]
#     cross-entropy  H(p, q) = -E_p[log q]
#     divergence     KL(p, q) = H(p, q) - H(p) = E_p[log p - log q] >= 0
#
# For Gaussians H(p) = log(2 pi e v) / 2 and KL(p, q) = (v/w - 1 - log(v/w) + (m - k)^2 / w) / 2, with q of mean k and
# variance w. natfit derives its own from the log-partition function; here they meet the formulas and an integral.

# %%
p, q = start, np.array([26.0, 5.0])
integral = gaussian.expect(lambda y: gaussian.log_prob(y, p) - gaussian.log_prob(y, q), p)
by_hand = 0.5 * (p[1] / q[1] - 1.0 - np.log(p[1] / q[1]) + (p[0] - q[0]) ** 2 / q[1])
divergence = Book("closed form, by hand")
divergence.compare("entropy of p", gaussian.entropy(p), f"{0.5 * np.log(2 * np.pi * np.e * p[1]):.10f}")
divergence.compare("cross-entropy less entropy", gaussian.cross_entropy(p, q) - gaussian.entropy(p), f"{by_hand:.10f}")
divergence.compare("KL", gaussian.kl(p, q), f"{by_hand:.10f}")
divergence.compare("KL, by quadrature", float(integral), f"{by_hand:.8f}")
print(divergence)

# %% [markdown]
# ## 3. KL is what log-likelihood loses on average
#
# Draw y from p: the average of log p(y) - log q(y) over many draws is KL(p, q), up to Monte Carlo error. So the q that
# maximizes the expected log-likelihood is the one at the smallest divergence from p: maximum likelihood minimizes KL from
# the data. By quadrature the two expectations differ by the same number.

# %%
draws = gaussian.sample(p, np.random.default_rng(1), 200_000)
losses = gaussian.log_prob(draws, p) - gaussian.log_prob(draws, q)
error = losses.std() / np.sqrt(losses.size)
distance = abs(losses.mean() - by_hand) / error
print(f"average loss {losses.mean():.4f} +- {error:.4f}, KL {by_hand:.4f}: {distance:.1f} standard errors apart")
own, others = (float(gaussian.expect(lambda y, x=x: gaussian.log_prob(y, x), p)) for x in (p, q))
expected = Book("KL, by hand")
expected.compare("E[log p] - E[log q]", own - others, f"{by_hand:.8f}")
print(expected)

# %% [markdown]
# ## 4. At q = p the divergence is flat ...
#
# The gradient of KL(p, q) in q's parameters is -E_p[score of q]. At q = p the score has expectation zero.


# %%
def central(function, x, step=1e-4):
    """Gradient by central differences."""
    rows = np.eye(x.size) * step * np.maximum(np.abs(x), 1.0)
    return np.array([(function(x + row) - function(x - row)) / (2.0 * row.sum()) for row in rows])


flat = Book("-E[score], by quadrature")
slope_q = central(lambda x: gaussian.kl(p, x), q)
for j, name in enumerate(("mean", "variance")):
    expected_score = float(gaussian.expect(lambda y, j=j: gaussian.score(y, q)[..., j], p))
    flat.compare(f"dKL/d{name} at q", slope_q[j], f"{-expected_score:.6f}")
    flat.compare(f"dKL/d{name} at p", central(lambda x: gaussian.kl(p, x), p)[j], "0.000000")
print(flat)

fig, axes = plt.subplots(1, 2, figsize=(9.0, 3.6), layout="constrained", sharey=True)
for j, (ax, name, reach) in enumerate(zip(axes, ("mean", "variance"), (1.3, 4.0), strict=True)):
    along = p[j] + np.linspace(-reach, reach, 81)
    moved_to = np.tile(p, (81, 1))
    moved_to[:, j] = along
    near = 0.5 * gaussian.fisher(p)[j, j] * (along - p[j]) ** 2
    ax.plot(along, [float(gaussian.kl(p, x)) for x in moved_to], "k-", label="KL(p, q)")
    ax.plot(along, near, "k--", label="half Fisher information times distance squared")
    ax.plot(p[j], 0.0, "ko", label="q = p: value 0, slope 0")
    ax.set(xlabel=f"{name} of q")
axes[0].set_ylabel("nats")
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
plt.show()

# %% [markdown]
# ## 5. ... and its second derivative is the Fisher information, three ways
#
# The Hessian of KL(p, q) in q at q = p; the covariance of the score; minus the expected Hessian of the log-likelihood.
# For the Gaussian all three are diag(1/v, 1/(2 v^2)): here 1/9 and 1/162.

# %%
hessian_of_kl = central(lambda x: central(lambda z: gaussian.kl(p, z), x), p)
covariance = np.array(
    [
        [
            float(gaussian.expect(lambda y, i=i, j=j: gaussian.score(y, p)[..., i] * gaussian.score(y, p)[..., j], p))
            for j in range(2)
        ]
        for i in range(2)
    ]
)
minus_hessian = np.array(
    [-float(gaussian.expect(lambda y, j=j: central(lambda x: gaussian.score(y, x)[..., j], p)[j], p)) for j in range(2)]
)
fisher = Book("1/v and 1/(2 v^2)")
for j, (name, printed) in enumerate((("mean", "0.111111"), ("variance", "0.006173"))):
    fisher.compare(f"{name}: natfit's Fisher information", gaussian.fisher(p)[j, j], printed)
    fisher.compare(f"{name}: Hessian of KL", hessian_of_kl[j, j], printed)
    fisher.compare(f"{name}: covariance of the score", covariance[j, j], printed)
    fisher.compare(f"{name}: minus the expected Hessian", minus_hessian[j], printed)
for name, matrix in (("Hessian of KL", hessian_of_kl), ("covariance of the score", covariance)):
    fisher.compare(f"off the diagonal: {name}", matrix[0, 1], "0.000000")
print(fisher)

# %% [markdown]
# ## 6. So a small divergence is a squared length
#
# KL(p, p + d) = d'Fd / 2 plus terms of third order. Halve d, and the error of the quadratic form falls to an eighth: on
# log axes a line of slope 3.

# %%
direction = np.array([1.0, 2.0])
sizes = 2.0 ** -np.arange(0.0, 8.0)
exact = np.array([float(gaussian.kl(p, p + t * direction)) for t in sizes])
quadratic = 0.5 * sizes**2 * (direction @ gaussian.fisher(p) @ direction)
order = np.polyfit(np.log(sizes[2:]), np.log(np.abs(exact - quadratic)[2:]), 1)[0]
expansion = Book("Taylor")
expansion.compare("order of the error", order, "3.0")
print(expansion)

fig, ax = plt.subplots(layout="constrained")
ax.loglog(sizes, exact, "ko-", label="KL(p, p + t d)")
ax.loglog(sizes, np.abs(exact - quadratic), "ks--", fillstyle="none", label="less its quadratic form: slope 3")
ax.set(xlabel="t", ylabel="nats")
ax.legend()
plt.show()

# %% [markdown]
# ## 7. Steepest ascent on a ball of divergence
#
# Which step d of KL(p, p + d) = c raises L most? With KL = d'Fd / 2 and g the gradient of L, Lagrange's conditions for
# g'd - lambda (d'Fd / 2 - c) say
#
#     g = lambda F d,   so   d = F^-1 g / lambda,
#     c = d'Fd / 2 = g'F^-1 g / (2 lambda^2),   so   lambda = sqrt(g'F^-1 g / (2 c))
#
# so the steepest direction is the *natural gradient* F^-1 g, whatever c is, and c sets the length. For the loss -L, whose
# gradient is -g, the same step reads d = -(1/lambda) F^-1 grad: the update of natural-gradient descent, with lambda from the
# constraint. Lambda is also what a little more budget is worth, dL/dc at the best step. A numerical minimiser that knows
# nothing of F, only the exact divergence and the loss, finds the same step as the ball shrinks.


# %%
def steepest(c):
    """Climb the average log-likelihood as far as a divergence c allows, by SLSQP."""
    g = average_score("variance", p)
    guess = np.sqrt(c) * g / np.linalg.norm(g)
    scale = np.sqrt(c) / np.sqrt(np.diag(gaussian.fisher(p)))
    found = optimize.minimize(
        lambda z: -(gaussian.log_prob(width, p + scale * z).mean() - gaussian.log_prob(width, p).mean()) / np.sqrt(c),
        guess / scale,
        method="SLSQP",
        constraints={"type": "ineq", "fun": lambda z: 1.0 - float(gaussian.kl(p, p + scale * z)) / c},
        options={"ftol": 1e-14, "maxiter": 500},
    )
    return scale * found.x


g, F = average_score("variance", p), gaussian.fisher(p)
natural = np.linalg.solve(F, g)
budgets = 10.0 ** -np.arange(1.0, 7.0)
angles = []
for c in budgets:
    d = steepest(c)
    cosine = d @ F @ natural / np.sqrt((d @ F @ d) * (natural @ F @ natural))
    angles.append(np.degrees(np.arccos(min(cosine, 1.0))))
lagrange = Book("Lagrange: F^-1 g / lambda")
c = 1e-6
d, multiplier = steepest(c), np.sqrt(g @ natural / (2.0 * c))
update = -(1.0 / multiplier) * np.linalg.solve(F, -g)  # -(1/lambda) F^-1 grad of the loss
lagrange.compare("step in the mean / predicted", d[0] / update[0], "1.00")
lagrange.compare("step in the variance / predicted", d[1] / update[1], "1.00")
lagrange.compare("divergence of the update / budget", float(gaussian.kl(p, p + update)) / c, "1.00")


def worth(c):
    """Return L at the best step of budget c, less L at p."""
    return gaussian.log_prob(width, p + steepest(c)).mean() - gaussian.log_prob(width, p).mean()


lagrange.compare("dL/dc, by differences / lambda", (worth(1.1 * c) - worth(0.9 * c)) / (0.2 * c) / multiplier, "1.00")
print(lagrange)

fig, ax = plt.subplots(layout="constrained")
ax.loglog(budgets, angles, "ko-")
ax.set(xlabel="budget c, nats", ylabel="angle to the natural gradient, degrees")
plt.show()

# %% [markdown]
# ## 8. The same arrow in every parametrization
#
# In coordinates xi with Jacobian J = dtheta/dxi the gradient is J'g and the information J'FJ. The natural gradient there,
# (J'FJ)^-1 J'g = J^-1 F^-1 g, carried back by J is F^-1 g: an arrow on the distributions, not on their names. Its squared
# length, the *decrement* g'F^-1 g, is the same number everywhere, and half of it (over all rows) is the gain in
# log-likelihood still expected.

# %%
invariant = Book("the variance parametrization")
for name in ("precision", "log_sd", "natural", "mean"):
    xi = gaussian.from_home(p, name)
    score = average_score(name, xi)
    along = np.linalg.solve(gaussian.fisher(xi, name), score)
    pushed = gaussian.parametrization(name).jacobian(xi) @ along
    invariant.compare(f"{name}: arrow, mean", pushed[0], f"{natural[0]:.8f}")
    invariant.compare(f"{name}: arrow, variance", pushed[1], f"{natural[1]:.8f}")
    invariant.compare(f"{name}: decrement", score @ along, f"{g @ natural:.8f}")
print(invariant)

fig, ax = plt.subplots(layout="constrained")
ax.contour(grid[..., 0], grid[..., 1], away, levels=20, colors="0.8", linestyles="-", linewidths=0.8)
angle = np.linspace(0.0, 2.0 * np.pi, 200)
ball = p[:, None] + np.sqrt(2.0 * 0.05) * np.linalg.inv(np.linalg.cholesky(F)).T @ np.stack(
    [np.cos(angle), np.sin(angle)]
)
ax.plot(*ball, "k:", label="divergence 0.05 nats, to second order")


def arrow(vector, line, marker, label):
    """Draw a direction at p as long as the ball is wide."""
    end = p + np.sqrt(2.0 * 0.05 / (vector @ F @ vector)) * vector
    ax.plot(*np.stack([p, end]).T, "k" + line, marker=marker, markevery=[1], fillstyle="none", label=label)


for name, line, marker in (("variance", "-", "o"), ("precision", "--", "s")):
    xi = gaussian.from_home(p, name)
    arrow(
        gaussian.parametrization(name).jacobian(xi) @ average_score(name, xi), line, marker, f"gradient in the {name}"
    )
arrow(natural, "-.", "^", "natural gradient, in any of them")
ax.plot(width.mean(), width.var(), "k*", markersize=12, linestyle="none", label="maximum")
ax.set(xlabel="mean, cm", ylabel="variance, squared cm", ylim=(3.4, 13.6))
fig.legend(loc="outside upper center", ncols=2)
plt.show()

# %% [markdown]
# ## 9. What is invariant along a path, and to what order
#
# Steps are finite, and a straight step in one parametrization is a bent one in another. Run to the same flow time with
# ever smaller steps: gradient descent's paths do not come together at all (order 0). Those of natural gradient do, in
# proportion to the step (order 1); with a midpoint move to its square (order 2). Along geodesics, which need no coordinates,
# they are identical to rounding at any step.

# %%
report = nf.diagnostics.invariance("gaussian", width, start={"mean": 25.0, "variance": 9.0})
print(report.summary())
orders = Book("theory")
orders.compare("gradient descent", report.orders["gradient_descent"].value, "0")
orders.compare("natural gradient, straight", report.orders["straight"].value, "1")
orders.compare("natural gradient, midpoint", report.orders["midpoint"].value, "2")
print(orders)
report.plot()
plt.show()

# %% [markdown]
# ## 10. The race
#
# The same start, four runners: gradient descent and natural gradient, each in variance and in precision.

# %%
race = nf.diagnostics.race(
    "gaussian",
    width,
    parametrizations=["variance", "precision"],
    optimizers=[nf.optimize.gradient_descent(step=0.02), nf.optimize.natural_gradient(step=0.1)],
    start={"mean": 25.0, "variance": 9.0},
)
print(race.summary())
race.plot()
plt.show()
