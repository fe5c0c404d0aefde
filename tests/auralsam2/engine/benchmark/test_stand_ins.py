"""Clips and weights that stand in for those that are not here."""

from __future__ import annotations

from pathlib import Path

import pytest

from auralsam2 import config
from auralsam2.engine.benchmark.stand_ins import layout_of, synthetic_clips, without_weights
from auralsam2.engine.preflight import check_weights
from auralsam2.engine.splits import run_datasets
from auralsam2.registry import load_all


@pytest.fixture(autouse=True)
def registered() -> None:
    load_all()


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("auralsam2/mini_v1m", "v1m"),
        ("auralsam2/mini_v1s", "v1s"),
        ("auralsam2/mini_v2", "v2"),
        ("auralsam2/mini_ref_avs", "ref_avs"),
    ],
)
def test_the_layout_is_the_one_that_is_read(name: str, layout: str, tmp_path: Path) -> None:
    assert layout_of(config.load(name), tmp_path) == layout


def test_clips_are_there_and_go() -> None:
    cfg = config.load("auralsam2/mini_v1m", {"data.batch_size": 3})
    with synthetic_clips(cfg, num_frames=2) as root:
        cfg.data.root, cfg.data.test = root, {}
        datasets = run_datasets(cfg)
        assert len(datasets["train"]) == len(datasets["val"]) == 6
        assert datasets["train"][0]["frames"].shape == (2, 3, 128, 128)
    assert not Path(root).exists()


def test_a_layout_that_nobody_writes_is_refused_with_reasons(tmp_path: Path) -> None:
    subsets = {"data.train.subset": ("v1s", "v1m", "v2")}
    cfg = config.load("auralsam2/mini_v1m", subsets)
    with pytest.raises(ValueError, match="data.root") as caught:
        layout_of(cfg, tmp_path)
    assert "- v1m: 'v1m/avss_index/metadata.csv' has no clips of 'v1s/train'" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_files_of_weights_are_left_out_and_what_is_built_in_stays() -> None:
    name = "auralsam2/hiera_tiny_v1m"
    cfg = config.load(name)
    found = dict(without_weights(cfg.model.to_dict()))
    assert found["model.backbone.checkpoint"] is None
    assert found["model.backbone.random_weights"] is True
    check_weights(config.load(name, found))
    assert not dict(without_weights(config.load("auralsam2/mini_v1m").model.to_dict()))
