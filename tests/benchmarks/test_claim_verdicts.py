"""Every kind of claim is judged right: errors at most alpha, found as often as is forecast."""

from __future__ import annotations

import numpy as np
import pytest

EXPERIMENTS = 600
SLACK = 3 * (0.25 / EXPERIMENTS) ** 0.5  # three standard errors of a share of a half


@pytest.mark.parametrize(("seeds", "clips"), [(2, 30), (4, 60)])
def test_every_kind_errs_no_more_than_alpha_and_finds_as_forecast(
    script, seeds: int, clips: int
) -> None:
    error = script.ALPHA / 2 + 3 * (0.025 / EXPERIMENTS) ** 0.5
    for number, (words, scenario) in enumerate(script.scenarios()):
        rng = np.random.default_rng(number)
        found = script.judged(scenario, (EXPERIMENTS, seeds, clips), rng)
        supported = (found.supporting < script.ALPHA).mean()
        contradicted = (found.contradicting < script.ALPHA).mean()
        if scenario.true:
            low, high = script.forecast(scenario, seeds, clips)
            assert low - SLACK < supported < high + SLACK, words
        else:
            assert supported <= error, words
        if scenario.true is not False:
            assert contradicted <= error, words
        else:
            assert contradicted > supported, words


def test_a_file_of_claims_that_hang_together_has_a_wrong_one_in_alpha_of_cases(
    script,
) -> None:
    wrong, right = script.family((EXPERIMENTS, 4, 60), np.random.default_rng(0))
    assert wrong <= script.ALPHA + 3 * (0.05 / EXPERIMENTS) ** 0.5
    assert right > 0.5
