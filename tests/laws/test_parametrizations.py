"""Laws of parametrizations: round trip, Jacobian, domain, refusals; for the general ones and every family's own."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from natfit import families
from natfit.families.base import ExponentialFamily
from natfit.families.registry import REGISTRY
from natfit.parametrizations import (
    Affine,
    Cholesky,
    Composed,
    Fixed,
    Identity,
    Inverse,
    Log,
    LogCholesky,
    Logit,
    OffImageError,
    Parametrization,
    Power,
    Product,
    SingularParametrizationError,
    Softmax,
    Tied,
    check,
    from_function,
    pack,
    unpack_symmetric,
)
from natfit.parametrizations.numerical import numerical_jacobian


def _cv(xi):
    return np.array([xi[0], (xi[0] * xi[1]) ** 2])


def _positive(q):
    return st.lists(st.floats(0.05, 20.0), min_size=q, max_size=q)


def _real(q):
    return st.lists(st.floats(-4.0, 4.0), min_size=q, max_size=q)


def _factor(draw_real, draw_positive):
    return st.tuples(draw_real, draw_positive).map(lambda x: [x[1][0], x[0][0], x[1][1]])


GENERAL = [
    (Identity(["a", "b"]), _real(2)),
    (Affine([[1.0, 2.0], [0.5, -1.0]], [3.0, -2.0]), _real(2)),
    (Affine([[1.0], [2.0], [-1.0]], [0.0, 1.0, 5.0], names=["t"]), _real(1)),
    (Fixed(["a", "b", "c"], {"b": 2.5}), _real(2)),
    (Tied(["a", "b", "c"], {"ac": ["a", "c"]}), _real(2)),
    (Log(["log_a", "log_b"]), _real(2)),
    (Power(["sd"], 2), _positive(1)),
    (Power(["a", "b"], -1), _positive(2)),
    (Logit(["x", "y"]), _real(2)),
    (Softmax(["x", "y"]), _real(2)),
    (Softmax(["x", "y"], complete=True), _real(2)),
    (Inverse(1), _positive(1)),
    (Cholesky(2), _factor(_real(1), _positive(2))),
    (LogCholesky(2), _real(3)),
    (Composed(Power(["sd"], 2), Log(["log_sd"])), _real(1)),
    (Composed(LogCholesky(2), Fixed(["a", "b", "c"], {"b": 0.0})), _real(2)),
    (Product(Identity(["mean"]), Log(["log_variance"]), LogCholesky(2)), _real(5)),
    (from_function(_cv, names=["mean", "cv"], at=[[2.0, 0.5]]), _positive(2)),
]


@pytest.mark.parametrize(("parametrization", "coordinates"), GENERAL, ids=[repr(p) for p, _ in GENERAL])
def test_general_parametrizations_come_back_and_have_their_jacobian(parametrization, coordinates):
    @settings(max_examples=15, deadline=None, derandomize=True)
    @given(coordinates)
    def law(xi):
        xi = np.array(xi)
        if isinstance(parametrization, Parametrization) and parametrization.names == ("mean", "cv"):
            xi = np.clip(xi, 0.5, 5.0)  # inverted from a fixed start by least squares: not from anywhere
        assert parametrization.contains(xi)
        report = check(parametrization, xi)
        assert report.ok, report

    law()


@pytest.mark.parametrize("parametrization", [p for p, _ in GENERAL], ids=repr)
def test_batch_axes_broadcast_and_pickling_keeps_the_map(parametrization):
    rng = np.random.default_rng(3)
    xi = rng.uniform(0.6, 1.5, (2, 3, parametrization.size))
    theta, jacobian = parametrization.to_home(xi), parametrization.jacobian(xi)
    assert theta.shape == (2, 3, parametrization.home_size)
    assert jacobian.shape == (2, 3, parametrization.home_size, parametrization.size)
    assert parametrization.contains(xi).shape == (2, 3)
    back = parametrization.from_home(theta)
    for i in np.ndindex(2, 3):
        np.testing.assert_allclose(parametrization.to_home(xi[i]), theta[i], rtol=1e-13, atol=1e-13)
        np.testing.assert_allclose(parametrization.jacobian(xi[i]), jacobian[i], rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(parametrization.from_home(theta[i]), back[i], rtol=1e-10, atol=1e-12)
    if parametrization.names != ("mean", "cv"):  # made of a function of the test's own, wrapped in a closure
        copy = pickle.loads(pickle.dumps(parametrization))
        np.testing.assert_array_equal(copy.to_home(xi), theta)


FAMILY_CASES = [
    pytest.param(family, name, id=f"{family!r}-{name}")
    for family in REGISTRY.examples()
    if isinstance(family, families.base.Family)
    for name in family.parametrizations
]


@pytest.mark.parametrize(("family", "name"), FAMILY_CASES)
def test_every_family_parametrization_comes_back_and_has_its_jacobian(family, name):
    parametrization = family.parametrizations[name]
    theta = family.example_parameters()
    xi = parametrization.from_home(theta)
    assert np.all(parametrization.contains(xi))
    assert len(parametrization.names) == xi.shape[-1] == len(set(parametrization.names))
    report = check(parametrization, xi)
    assert report.ok, report
    jacobian = parametrization.jacobian(xi)
    allowed = np.maximum(1e-10, 100 * np.finfo(float).eps * np.linalg.cond(jacobian)) * (1 + np.abs(theta).max(axis=-1))
    assert np.all(np.abs(parametrization.to_home(xi) - theta).max(axis=-1) <= allowed)


@pytest.mark.parametrize(("family", "name"), FAMILY_CASES)
def test_decrement_and_direction_are_the_same_in_every_parametrization(family, name):
    """score' F^-1 score to 1e-10, and J F_xi^-1 score_xi = F^-1 score to 1e-8 of its length in the Fisher metric."""
    chart = family.parametrizations[name]
    rng = np.random.default_rng(11)
    for theta in family.example_parameters():
        y = family.sample(theta, rng, 25)
        xi = chart.from_home(theta)
        fisher = family.fisher(theta)
        score = family.score(y, theta).mean(axis=0)
        direction = _solve(fisher, score)
        score_xi = family.score(y, xi, name).mean(axis=0)
        direction_xi = _solve(family.fisher(xi, name), score_xi)
        decrement = score @ direction
        assert score_xi @ direction_xi == pytest.approx(decrement, rel=1e-10, abs=0)
        gap = chart.push_forward(xi, direction_xi) - direction
        assert np.sqrt(gap @ fisher @ gap) <= 1e-8 * np.sqrt(decrement)


def _solve(fisher, score):
    scale = 1 / np.sqrt(np.diag(fisher))
    return scale * np.linalg.solve(fisher * scale * scale[:, None], scale * score)


# -- faults, planted


def test_a_wrong_jacobian_is_refused_with_point_and_size():
    with pytest.raises(ValueError, match=r"Jacobian of .* is wrong at \(2, 0\.5\): relative error 0\.\d+"):
        from_function(
            _cv,
            names=["mean", "cv"],
            at=[2.0, 0.5],
            jacobian=lambda xi: np.array([[1.0, 0.0], [2 * xi[0] * xi[1] ** 2, xi[0] ** 2 * xi[1]]]),
        )


def test_a_wrong_inverse_is_refused_with_point_and_size():
    with pytest.raises(ValueError, match=r"home parameters that some coordinates map to|does not come back"):
        from_function(np.exp, lambda theta: np.log(theta) + 1e-6, names=["x"], at=[0.5])
    wrong = Log(["x"])
    wrong.from_home = lambda theta: np.log(theta) + 1e-8
    with pytest.raises(ValueError, match=r"does not come back from a round trip at \(0\.5\).*66.7 times"):
        check(wrong, [0.5]).raise_if_wrong()


def test_registration_with_a_family_checks_and_then_offers_the_parametrization():
    class Own(type(families.get("beta"))):
        pass

    family = Own()
    good = Log(["log_a", "log_b"])
    family.register_parametrization("logs", good)
    assert family.parametrizations["logs"] is good
    assert "logs" not in families.get("beta").parametrizations
    with pytest.raises(ValueError, match="already has"):
        family.register_parametrization("logs", good)
    with pytest.raises(ValueError, match="has 2 home parameters"):
        family.register_parametrization("one", Log(["x"]))
    bad = Log(["log_a", "log_b"])
    bad.derivative = lambda xi: 1.001 * np.exp(xi)
    with pytest.raises(ValueError, match="Jacobian"):
        family.register_parametrization("bad", bad)
    with pytest.raises(ValueError, match="there are a_b, mean_precision"):
        families.get("beta").fisher([1.0, 1.0], "mean_presision")


# -- refusals


@pytest.mark.parametrize(
    ("parametrization", "theta"),
    [
        (Log(["x"]), [-1.0]),
        (Power(["sd"], 2), [0.0]),
        (Logit(["x"]), [1.0]),
        (Softmax(["x", "y"]), [0.5, 0.5]),
        (Softmax(["x", "y"], complete=True), [0.5, 0.3, 0.3]),
        (Cholesky(2), [1.0, 2.0, 1.0]),
        (Inverse(2), [1.0, 1.0, 1.0]),
        (Fixed(["a", "b"], {"b": 2.0}), [1.0, 2.001]),
        (Tied(["a", "b"], {"ab": ["a", "b"]}), [1.0, 2.0]),
        (from_function(_cv, names=["mean", "cv"], at=[2.0, 0.5]), [2.0, -1.0]),
    ],
    ids=repr,
)
def test_home_parameters_off_the_image_are_refused(parametrization, theta):
    with pytest.raises(OffImageError, match=r"needs .* but got"):
        parametrization.from_home(theta)


def test_shapes_and_sizes_are_refused_by_name():
    with pytest.raises(ValueError, match="last axis of length 2"):
        Log(["a", "b"]).to_home([1.0])
    with pytest.raises(ValueError, match="full column rank"):
        Affine([[1.0, 2.0], [2.0, 4.0]])
    with pytest.raises(ValueError, match="no home parameter called 'd'"):
        Fixed(["a"], {"d": 1.0})
    with pytest.raises(ValueError, match="two groups"):
        Tied(["a", "b"], {"x": ["a", "b"], "y": ["b"]})
    with pytest.raises(ValueError, match="must give the outer one's 1"):
        Composed(Log(["x"]), Identity(["a", "b"]))
    with pytest.raises(ValueError, match="more coordinates than home"):
        Affine([[1.0, 2.0]])
    with pytest.raises(ValueError, match="exponent"):
        Power(["x"], 0)


def test_singular_points_and_points_outside_say_so():
    square = from_function(lambda xi: xi**2, names=["x"], at=[1.0])
    with pytest.raises(SingularParametrizationError, match="singular at"):
        square.require_regular([0.0])
    with pytest.raises(SingularParametrizationError, match="not defined at"):
        Power(["sd"], 2).require_regular([-1.0])
    assert square.require_regular([2.0]).item() == pytest.approx(4.0)


def test_tiny_units_are_not_singular():
    """A Jacobian with columns of very unlike sizes has full rank: units of measurement don't decide."""
    assert Product(Affine([[1e-12]]), Affine([[1e12]])).require_regular([1.0, 1.0]).shape == (2, 2)


def test_covariance_coordinates_agree_with_linear_algebra():
    rng = np.random.default_rng(5)
    a = rng.normal(size=(4, 3, 3))
    sigma = a @ np.swapaxes(a, -1, -2) + np.eye(3)
    np.testing.assert_array_equal(unpack_symmetric(pack(sigma)), np.where(True, sigma, 0).transpose(0, 2, 1))
    np.testing.assert_allclose(
        unpack_symmetric(Inverse(3).from_home(pack(sigma))) @ sigma, np.broadcast_to(np.eye(3), sigma.shape), atol=1e-12
    )
    for chart in (Inverse(3), Cholesky(3), LogCholesky(3)):
        xi = chart.from_home(pack(sigma))
        np.testing.assert_allclose(
            chart.jacobian(xi), numerical_jacobian(chart.to_home, xi, chart.contains), atol=1e-7, rtol=1e-7
        )


def test_pushing_and_pulling_are_transposes():
    chart = Product(Identity(["m"]), Log(["v"]))
    xi, direction, score = np.array([1.0, 0.7]), np.array([0.3, -0.2]), np.array([2.0, 5.0])
    assert chart.push_forward(xi, direction) @ score == pytest.approx(direction @ chart.pull_score(xi, score))
    fisher = np.array([[2.0, 0.3], [0.3, 1.0]])
    quadratic = chart.push_forward(xi, direction) @ fisher @ chart.push_forward(xi, direction)
    assert direction @ chart.pull_fisher(xi, fisher) @ direction == pytest.approx(quadratic)


def test_the_registry_has_exponential_families():
    assert sum(isinstance(f, ExponentialFamily) for f in REGISTRY.examples()) >= 20
