"""The released code's contrastive loss and its repairs; `check-parity` has its numbers."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from auralsam2.losses.audio_con import AudioConLoss
from auralsam2.losses.contrastive import JointSet
from auralsam2.losses.released_audio_con import ReleasedAudioConLoss
from auralsam2.registry import CONTRASTIVE_LOSSES
from tests.auralsam2.losses.test_contrastive import make_batch

CORRECTED = dict(
    labels="own",
    prediction="thresholded",
    quota="filled",
    silent_rule="empty",
    ignore_class=False,
    truncation="random",
)


@pytest.mark.parametrize("reduction", ["all_anchors", "anchors_with_positive"])
def test_with_every_repair_it_is_the_published_loss(reduction):
    published = AudioConLoss(repel_audio=True, reduction=reduction)
    repaired = ReleasedAudioConLoss(reduction=reduction, **CORRECTED)
    batch = make_batch(dtype=torch.float64)
    expected = published(*batch)["loss_contrastive"]
    torch.testing.assert_close(repaired(*batch)["loss_contrastive"], expected)
    released = ReleasedAudioConLoss(reduction=reduction)(*batch)["loss_contrastive"]
    assert (released - expected).abs() > 1e-3


@pytest.mark.parametrize("label, attracts", [(0, False), (1, False), (255, True)])
def test_pixels_of_the_ignore_class_attract_each_other(label, attracts):
    points = F.normalize(torch.tensor([[1.0, 0.2], [0.3, 1.0], [-1.0, 1.0]]), dim=1)
    labels = torch.tensor([label, label, 1 - min(label, 1)])
    # Without a sound, pixels of one label are all that is left to attract.
    joint = JointSet(points, labels, torch.zeros(0, 2), torch.zeros(0).long())
    loss = ReleasedAudioConLoss(temperature=1.0).joint_loss(joint)
    if not attracts:
        assert float(loss) == 0
        return
    same, other = (float(points[0] @ points[i]) for i in (1, 2))
    far = float(points[1] @ points[2])
    terms = [math.log1p(math.exp(negative - same)) for negative in (other, far)]
    assert float(loss) == pytest.approx(sum(terms) / 3)


def test_errors_list_what_is_wrong():
    with pytest.raises(
        ValueError, match="max_samples .* got 0(.|\n)*labels='x'.*own(.|\n)*quota='y'"
    ):
        ReleasedAudioConLoss(max_samples=0, labels="x", quota="y")


def test_registered():
    loss = CONTRASTIVE_LOSSES.build(dict(type="ReleasedAudioConLoss", max_samples=64))
    assert (loss.max_samples, loss.repel_audio, loss.reduction) == (64, True, "all_anchors")
    assert (*loss.rules, loss.truncation) == (
        *("looked_up", "logits", "added", "one_value", True),
        "prefix",
    )
