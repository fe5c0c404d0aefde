"""The small configs of every data set."""

from __future__ import annotations

import pytest

from auralsam2 import config
from auralsam2.registry import DATASETS

LAYOUTS = ["v1s", "v2", "ref_avs"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_reads_its_synthetic_data_at_the_same_size(layout: str) -> None:
    cfg, base = config.load(f"auralsam2/mini_{layout}"), config.load("auralsam2/mini_v1m")
    assert cfg.data.root == f"work_dirs/synthetic/{layout}"
    assert cfg.optim == base.optim and cfg.data.image_size == base.data.image_size
    assert cfg.model.backbone == base.model.backbone and cfg.model.feature_cache_mb > 0
    assert list(cfg.data.train.transforms) == []


@pytest.mark.parametrize("layout", ["v1s", "v2"])
def test_every_split_reads_the_same_subset(layout: str) -> None:
    data = config.load(f"auralsam2/mini_{layout}").data
    nodes = [data.train, data.val, data.test.test, data.test.test_audio_swapped.dataset]
    assert [node.subset for node in nodes] == [layout] * 4
    assert all(DATASETS.lookup(node.type) for node in nodes)


def test_ref_avs_listens_to_words_as_the_published_model_does() -> None:
    cfg, published = (
        config.load(f"auralsam2/{name}") for name in ("mini_ref_avs", "published/ref_avs")
    )
    assert cfg.model.text_encoder.type == "MiniLMText"
    assert cfg.model.tracker == published.model.tracker
    assert cfg.model.contrastive_loss.max_samples == published.model.contrastive_loss.max_samples
    assert list(cfg.data.test) == list(published.data.test) == ["test_s", "test_u", "test_n"]
    assert cfg.evaluation.metrics == published.evaluation.metrics
