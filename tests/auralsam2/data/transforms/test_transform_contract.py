"""What every transform promises, over every registered name."""

from __future__ import annotations

import numpy as np
import pytest
from mmengine.config import Config

from auralsam2.config import validate
from auralsam2.config_schema import SCHEMA, child_spec, known_keys
from auralsam2.registry import DATASETS, TRANSFORMS

RNG = np.random.default_rng(0)
CLIP = {
    "frames": RNG.integers(0, 256, (3, 18, 24, 3), dtype=np.uint8),
    "masks": RNG.integers(0, 2, (3, 18, 24), dtype=np.uint8) * np.uint8(200),
}
NAMES = TRANSFORMS.names()
"""Taken before a test may put toys into the registry."""
CLASSES = {name: TRANSFORMS.lookup(name) for name in NAMES}


def test_the_list_is_known() -> None:
    assert NAMES == ["ClipColourJitter", "RandomClipAffine", "RandomClipFlip", "RandomClipGrey"]


@pytest.mark.parametrize("name", NAMES)
def test_shapes_and_types_stay_and_inputs_are_not_written_to(name: str) -> None:
    before = {key: array.copy() for key, array in CLIP.items()}
    for seed in range(25):
        out = CLASSES[name]()(dict(CLIP, other="kept"), np.random.default_rng(seed))
        assert out["other"] == "kept"
        for key, array in CLIP.items():
            assert out[key].shape == array.shape and out[key].dtype == np.uint8
            assert np.array_equal(array, before[key])
        assert set(np.unique(out["masks"])) <= {0, 200}


@pytest.mark.parametrize("name", NAMES)
def test_the_generator_decides(name: str) -> None:
    outs = [CLASSES[name]()(CLIP, np.random.default_rng(9)) for _ in range(2)]
    assert all(np.array_equal(outs[0][key], outs[1][key]) for key in CLIP)


@pytest.mark.parametrize("name", NAMES)
def test_the_next_transform_finds_the_same_generator_whatever_comes_out(name: str) -> None:
    states = []
    for array in (CLIP["frames"], 255 - CLIP["frames"]):
        rng = np.random.default_rng(4)
        CLASSES[name]()(dict(CLIP, frames=array), rng)
        states.append(rng.random())
    assert states[0] == states[1]


def test_configs_are_checked_down_to_the_transforms(toy_config: Config) -> None:
    for transform in CLASSES.values():
        TRANSFORMS.register_module(module=transform)

    @DATASETS.register_module()
    class AugmentedClips:
        def __init__(self, root, transforms=(), image_size=64) -> None: ...

    def problems(transforms: object) -> list[str]:
        toy_config.data.train = dict(type="AugmentedClips", transforms=transforms)
        return validate(toy_config)

    assert problems([dict(type="RandomClipFlip", prob=0.2), dict(type="RandomClipAffine")]) == []
    assert problems([]) == []
    unknown, argument, name = problems(
        [dict(type="RandomClipFlop"), dict(type="RandomClipGrey", p=1), "RandomClipFlip"]
    )
    assert unknown.startswith("data.train.transforms.0: unknown transform 'RandomClipFlop'; did")
    assert "'RandomClipFlip'" in unknown
    assert argument.startswith("data.train.transforms.1: RandomClipGrey got an unknown argument")
    assert name.startswith("data.train.transforms.2: must be dict(type=...) naming a transform")
    (no_list,) = problems(dict(type="RandomClipFlip"))
    assert no_list.startswith("data.train.transforms: must hold at least one transform as [dict(")


def test_overrides_reach_a_transforms_arguments(toy_components: None) -> None:
    TRANSFORMS.register_module(module=CLASSES["RandomClipFlip"])
    spec = SCHEMA
    for key in ("data", "train", "transforms", "0"):
        spec = child_spec(spec, key)
    assert known_keys(spec, dict(type="RandomClipFlip")) == ["type", "prob"]
