"""Columns of repositories against their rules written out in NumPy, on clips of several sizes."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from auralsam2.metrics.repositories import REPOSITORIES, benchmark

BY_NAME = {each.name: each for each in REPOSITORIES}
THRESHOLDS = np.linspace(0, 1, 255, dtype=np.float32)
# Side, truth widened, threshold of J, clips of a batch, what meets F's thresholds, mean over frames
RULES = {
    "AVSBench": (224, False, 0.5, 4, "probabilities", False),
    "AVSegFormer": (512, False, 0.5, 2, "probabilities", False),
    "SAMA-AVS": (1024, False, 0.5, 1, "logits", False),
    "GAVS": (None, False, 0.4, 1, "probabilities", False),
    "Ref-AVS": (256, True, 0.4, 4, "probabilities", False),
    "AL-Ref-SAM2": (224, False, 0.5, 1, "masks", True),
    "SAM4AVS": (224, False, 0.5, 1, "masks", False),
    "AuralSAM2": (1024, False, 0.5, 1, "probabilities", False),
    "ours": (None, False, 0.5, 1, "probabilities", False),
}


@pytest.fixture(scope="module")
def samples():
    """Three clips of two or three frames, the second without an object in its first."""
    generator = torch.Generator().manual_seed(1)
    clips = []
    for number, (frames, size) in enumerate(((2, (20, 30)), (3, (16, 16)), (2, (12, 40)))):
        low = 2 * torch.randn(1, frames, 5, 5, generator=generator)
        smooth = torch.randn(1, frames, 3, 3, generator=generator)
        masks = (F.interpolate(smooth, size=size, mode="bilinear")[0] > 0.2).byte()
        masks[0] *= number != 1
        native = F.interpolate(low, size=size, mode="bilinear", align_corners=False)[0]
        clip = dict(clip=str(number), masks=masks, supervised=torch.ones(frames).bool())
        clips.append(clip | dict(mask_logits=native, low_res_logits=low[0]))
    return clips


def at_size(clip, side, widen):
    if side is None:
        return clip["mask_logits"].numpy(), clip["masks"].numpy() > 0
    square = dict(size=(side, side))
    logits = F.interpolate(clip["low_res_logits"][None], **square, mode="bilinear")[0].numpy()
    if widen:
        grey = F.interpolate(255.0 * clip["masks"][None], **square, mode="bilinear")[0]
        return logits, grey.round().numpy() > 0
    return logits, F.interpolate(clip["masks"][None], **square, mode="nearest-exact")[0].numpy() > 0


def iou(predicted, truth):
    if not truth.any():
        return (~predicted).mean()
    return (predicted & truth).sum() / ((predicted | truth).sum() + 1e-7)


def curve(values, truth):
    """F at all thresholds from sorted values, without a histogram."""
    predicted = values.size - np.searchsorted(np.sort(values, axis=None), THRESHOLDS)
    inside = np.sort(values[truth])
    correct = inside.size - np.searchsorted(inside, THRESHOLDS)
    precision, recall = correct / (predicted + 1e-20), correct / truth.sum()
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(1.3 * precision * recall / (0.3 * precision + recall))


def expected(samples, side, widen, threshold, group, of, frames_alone):
    ious, best, meets = [], [], {"logits": lambda x: x, "masks": lambda x: 1.0 * (x > 0)}
    for start in range(0, len(samples), group):
        of_group, curves = [], []
        for clip in samples[start : start + group]:
            for logit, truth in zip(*at_size(clip, side, widen), strict=True):
                s = torch.from_numpy(logit).sigmoid().numpy()
                of_group.append(iou(s > threshold, truth))
                if truth.any():
                    values = (meets[of](logit) if of in meets else s).astype(np.float32)
                    curves.append(curve(values, truth))
                elif frames_alone:
                    curves.append(np.zeros(255))
        ious.append(of_group if frames_alone else [np.mean(of_group)])
        if frames_alone:
            best += [one.max() for one in curves]
        else:
            best.append(np.mean(curves, axis=0).max() if curves else 0.0)
    return {"J": np.mean(np.concatenate(ious)), "F": np.mean(best)}


@pytest.mark.parametrize("name", RULES)
def test_each_repository_by_its_rules(samples, name):
    scores = {}
    for letter, metric in BY_NAME[name].build().items():
        metric.process(None, samples)
        (scores[letter],) = metric.evaluate(size=len(samples)).values()
    wanted = expected(samples, *RULES[name])
    assert {key: scores[key] for key in "JF"} == pytest.approx(wanted, abs=2e-6)
    assert ("S" in scores) is (name in ("Ref-AVS", "AuralSAM2", "ours"))


def test_every_repository_has_rules_here():
    assert BY_NAME.keys() - RULES.keys() == {"AVSS"} and BY_NAME["AVSS"].of_classes


def test_each_repository_says_what_it_does_and_where_it_stands():
    for each in REPOSITORIES:
        sides = {node.get("size") for node in each.metrics.values()}
        assert ("own size" if sides == {None} else f"{max(sides)} px") in each.differs
        assert each.name == "ours" or re.search(r"^[\w-]+/[\w-]+ [0-9a-f]{8}", each.source)
    assert len({each.differs for each in REPOSITORIES}) == len(REPOSITORIES)


@pytest.mark.parametrize(
    ("source", "known"),
    [
        ("ref-avs", "ref_avs"),
        ("avsbench-semantic/v2", "v2"),
        ("avsbench-semantic/v1s+v1m+v2", "avsbench"),
        ("avsbench-object/ms3", "avsbench"),
        ("", "avsbench"),
    ],
)
def test_benchmarks_are_known_by_their_labels(source, known):
    assert benchmark(source) == known


def test_some_repositories_score_benchmarks_in_different_ways():
    own, native = (BY_NAME["AL-Ref-SAM2"].build(data)["F"].size for data in ("avsbench", "v2"))
    assert (own, native) == (224, None)
    clip, batch = (BY_NAME["AuralSAM2"].build(data) for data in ("avsbench", "ref_avs"))
    assert (clip["J"].group_size, batch["J"].group_size, batch["F"].group_size) == (1, 4, 4)
    assert clip["S"].group_size is batch["S"].group_size is None
