"""Which models can be compared, and that they are the same SAM2 with the same ears."""

from __future__ import annotations

from typing import Any

import pytest

from auralsam2.engine.benchmark.cases import Asked
from auralsam2.engine.benchmark.prompting import CLIP
from auralsam2.models.methods.sama_avs import SAMAAVS
from auralsam2.models.weights.loading import loaded_weights
from auralsam2.predictor import speed

ADAPTER = "methods/sama_avs_v1m"
SMALL = {"data.image_size": 64, "runtime.num_threads": 1}


def compared(config: str, adapter: str, random_weights: bool = False, **more: Any) -> Any:
    asked = Asked(config, {**SMALL, **more}, False, random_weights)
    return speed.prompting_speed(asked, adapter, 3, 1, 0)


def test_the_adapter_gets_the_other_ones_sam2_and_ears(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Any] = []
    build = speed.trained_model
    monkeypatch.setattr(speed, "trained_model", lambda *a: built.append(build(*a)) or built[-1])
    followed: list[bool] = []

    def measure(ways: Any, *how: Any) -> Any:
        followed.extend(w.answers.add_all_frames_to_correct_as_cond for w in ways.values())
        return speed_of(ways, *how)

    speed_of = speed.measure
    monkeypatch.setattr(speed, "measure", measure)
    found = compared("auralsam2/mini_v1m", ADAPTER)
    (adapter,) = built
    assert isinstance(adapter, SAMAAVS)
    assert (adapter.backbone.image_size, adapter.backbone.channels) == (64, 128)
    assert loaded_weights(adapter.backbone)  # those that come with the package
    assert list(found.ways) == [
        *("SAM2, official predictor", "SAM2, features kept", "AuralSAM2", "SAM2 beside SAMAAVS"),
    ]
    assert found.reference == "SAM2, features kept" and (found.num_frames, found.again) == (3, 1)
    assert found.conditions["image_size"] == 64 and found.conditions["window"] == 5
    assert followed == 4 * [True]  # or a second click would be forgotten
    assert [way.passes[CLIP] for way in found.ways.values()] == [3, 3, 3, 6]


@pytest.mark.parametrize(
    ("config", "adapter", "said"),
    [
        ("methods/unprompted_mini_v1m", ADAPTER, "AuralSAM2"),
        ("auralsam2/mini_v1m", "methods/tpavi_v1m", "has no SAM2 that encodes frames again"),
        (
            "auralsam2/mini_v1m",
            "auralsam2/mini_v1m",
            "AuralSAM2 has no SAM2 that encodes frames ag",
        ),
        ("auralsam2/mini_v1m", "auralsam2/mini_v1m", "known: methods/adapter_mini_v1m, "),
        ("auralsam2/mini_v1m", "methods/sama_avs", "unknown config 'methods/sama_avs'"),
        ("auralsam2/hiera_tiny_v1m", ADAPTER, "(--random-weights measures without them)"),
    ],
)
def test_what_cannot_be_compared_is_refused(config: str, adapter: str, said: str) -> None:
    with pytest.raises((ValueError, FileNotFoundError)) as caught:
        compared(config, adapter)
    assert said in str(caught.value)
