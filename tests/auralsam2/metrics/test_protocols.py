"""All protocols at once: what each metric gives on its own."""

from __future__ import annotations

import pickle
import re

import pytest
import torch

from auralsam2.metrics.protocols import (
    ProtocolsMetric,
    protocols,
)
from auralsam2.registry import METRICS

ALONE = {
    "J_clip": dict(type="JaccardMetric"),
    "J_frame": dict(type="JaccardMetric", average="frame"),
    "J_batch2": dict(type="JaccardMetric", group_size=2),
    "J_clip@0.4": dict(type="JaccardMetric", threshold=0.4),
    "J_frame@0.4": dict(type="JaccardMetric", threshold=0.4, average="frame"),
    "J_batch2@0.4": dict(type="JaccardMetric", threshold=0.4, group_size=2),
    "F_clip": dict(type="FScoreMetric"),
    "F_clip_skip_empty": dict(type="FScoreMetric", empty_clips="skip"),
    "F_batch2": dict(type="FScoreMetric", group_size=2),
    "F_dataset": dict(type="FScoreMetric", group_size=None),
    "S_clip": dict(type="NullMetric"),
    "S_batch2": dict(type="NullMetric", group_size=2),
    "S_clip_no_root": dict(type="NullMetric", reduction="mean_of_ratios"),
    "S_dataset_no_root": dict(type="NullMetric", reduction="cumulative_ratio"),
}


@pytest.fixture
def samples():
    generator = torch.Generator().manual_seed(0)
    clips = []
    for i, frames in enumerate((2, 3, 1, 4, 2)):
        masks = (torch.rand(frames, 12, 9, generator=generator) > 0.6).byte() * (i != 2)
        noise = 2 * torch.randn(frames, 12, 9, generator=generator)
        supervised = torch.arange(frames) < 3
        clips.append(
            dict(
                clip=str(i),
                mask_logits=2.0 * masks - 1 + noise,
                low_res_logits=noise[:, :5, :5],
                masks=masks,
                supervised=supervised,
            )
        )
    return clips


@pytest.mark.parametrize("size", [None, 7])
def test_each_protocol_equals_its_metric(samples, size):
    together = ProtocolsMetric(size=size, group_size=2)
    together.process(None, samples)
    scores = together.evaluate(size=len(samples))
    assert list(scores) == list(ALONE)
    for name, node in ALONE.items():
        metric = METRICS.build(node | dict(size=size))
        metric.process(None, samples)
        (value,) = metric.evaluate(size=len(samples)).values()
        assert scores[name] == pytest.approx(value, abs=1e-12), name
    assert len(set(scores.values())) == len(scores), "clips that tell all protocols apart"


def test_each_protocol_says_what_it_pools_and_does():
    every = protocols(group_size=6)
    assert len({protocol.meaning for protocol in every}) == len(every)
    assert not any("\n" in p.meaning or len(p.meaning) > 90 for p in every)
    pooled = {"clip": "clip", "frame": "frames", "batch6": "6 clips", "dataset": "data set|pixels"}
    for protocol in every:
        pool = protocol.name.split("@")[0].split("_")[1]
        assert protocol.name.startswith(("J_", "F_", "S_"))
        assert re.search(pooled[pool], protocol.meaning), protocol
    assert sum("(ours)" in protocol.meaning for protocol in every) == 3, "one a letter"


def test_results_of_two_processes_meet_in_the_order_of_the_data_set(samples):
    """mmengine pickles the results, deals them out in turn and drops the padding."""
    alone = ProtocolsMetric(group_size=2)
    alone.process(None, samples)
    ranks = []
    for rank in range(2):
        metric = ProtocolsMetric(group_size=2)
        own = [samples[i % 5] for i in range(rank, 6, 2)]
        metric.process(None, own)
        ranks.append(pickle.loads(pickle.dumps(metric.results)))
    dealt = [result for pair in zip(*ranks, strict=True) for result in pair][:5]
    assert alone.compute_metrics(dealt) == alone.evaluate(size=5)


def test_mistakes(samples):
    with pytest.raises(ValueError, match="group_size=0"):
        ProtocolsMetric(group_size=0)
    with pytest.raises(ValueError, match="size=-1"):
        ProtocolsMetric(size=-1)
    with pytest.raises(ValueError, match="needs a size"):
        ProtocolsMetric(widen_truth=True)
    metric = ProtocolsMetric()
    metric.process(None, [samples[0], samples[0]])
    with pytest.raises(ValueError, match="several of 0"):
        metric.evaluate(size=2)
