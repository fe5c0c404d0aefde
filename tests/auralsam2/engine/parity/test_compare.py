"""What counts as equal."""

import math

import pytest
import torch

from auralsam2.engine.parity.compare import compare, equal, probe_loss
from auralsam2.engine.parity.fixtures import Expected


def test_absolute_or_relative() -> None:
    got, expected = torch.tensor([1000.01, 0.0]), torch.tensor([1000.0, 0.0])
    assert not compare("t", got, expected, absolute=1e-4).passed
    row = compare("t", got, expected, absolute=1e-4, relative=1e-4)
    assert row.passed and row.absolute == pytest.approx(0.01, rel=0.1)
    assert row.relative == pytest.approx(1e-5, rel=0.1)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_no_number_never_passes(bad: float) -> None:
    assert not compare("t", bad, 1.0, absolute=10.0, relative=10.0).passed
    assert not compare("t", 1.0, math.nan, absolute=10.0).passed


def test_another_shape_is_told() -> None:
    row = compare("t", torch.zeros(2), torch.zeros(2, 1))
    assert not row.passed and row.note == "got shape (2,), expected (2, 1)"


def test_lists_are_equal_or_not() -> None:
    assert equal("t", [0, 1], [0, 1]).passed
    row = equal("t", [0, 1], [1, 0])
    assert not row.passed and row.note == "got [0, 1], expected [1, 0]"


def test_probe_loss_by_its_formula() -> None:
    one, other = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([5.0])
    weights = [math.cos(0.37 * k) for k in range(4)]
    expected = sum(w * v for w, v in zip(weights, (1, 2, 3, 4), strict=True)) / 2 + 5.0
    assert float(probe_loss([one, other])) == pytest.approx(expected, rel=1e-6)


def test_gradient_norms_leave_numerical_zeros_alone() -> None:
    used, unused = torch.ones(4, requires_grad=True), torch.ones(2, requires_grad=True)
    (2 * used).sum().backward()
    facts = {"param_grad_l2": {"used": 4.0, "unused": None, "tiny": 1e-9}}
    expected = Expected({}, facts, label="eval.")
    rows = list(expected.norms({"used": used, "unused": unused, "tiny": used}))
    assert [row.passed for row in rows] == [True, True]
    assert rows[0].tensor == "eval.param_grad_l2.used"
    assert not list(expected._replace(facts={"param_grad_l2": None}).norms({"used": used}))


def test_a_scalar_may_be_kept_as_a_row_of_one() -> None:
    assert compare("loss", torch.tensor(1.0), torch.ones(1)).passed
    assert not compare("loss", torch.tensor(1.0), torch.zeros(1)).passed
    assert not compare("loss", torch.ones(1), torch.tensor(1.0)).passed
