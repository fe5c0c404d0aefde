import pytest

from auralsam2.predictor.state import AudioWeights, check_weight


def test_single_frames_differ_until_all_are_set() -> None:
    weights = AudioWeights(1.0)
    weights.set(0.0, [0, 1, 4])
    weights.set(0.5, [4])
    assert [weights.at(f) for f in range(6)] == [0, 0, 1, 1, 0.5, 1]
    assert weights.first_sounding(6) == 2
    weights.set(0.0, None)
    assert weights.first_sounding(6) is None
    weights.set(2.0, [5])
    assert weights.first_sounding(6) == 5


@pytest.mark.parametrize("weight", [-0.1, float("nan"), float("inf")])
def test_a_weight_is_a_number_from_0_on(weight: float) -> None:
    with pytest.raises(ValueError, match="at least 0"):
        check_weight(weight)
