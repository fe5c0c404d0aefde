"""The classifier on an audio encoder's vectors."""

from __future__ import annotations

import pytest
import torch

from auralsam2.models.sound.embedding_classifier import EmbeddingSoundClassifier
from auralsam2.registry import SOUND_CLASSIFIERS

ENCODER = dict(type="LogMelCNN", width=8, out_channels=16, frozen=True)


@pytest.mark.parametrize("hidden", [None, 12])
def test_it_trains_its_head_alone(hidden: int | None) -> None:
    node = dict(type="EmbeddingSoundClassifier", audio_encoder=ENCODER, hidden=hidden)
    classifier = SOUND_CLASSIFIERS.build(node, num_classes=5)
    log_mel = torch.randn(2, 3, 2, 96, 64)
    logits = classifier.train()(log_mel, ["a", "b"])
    assert logits.shape == (2, 3, 5)
    logits.square().sum().backward()
    learns = {n for n, p in classifier.named_parameters() if p.grad is not None}
    assert learns and all(n.startswith("head.") for n in learns)
    torch.testing.assert_close(classifier(log_mel.flip(0), ["b", "a"]).flip(0), logits)


def test_all_wrong_arguments_are_told_at_once() -> None:
    with pytest.raises(ValueError, match="num_classes must .*; hidden must .*; audio_encoder must"):
        EmbeddingSoundClassifier(0, None, hidden=0)  # type: ignore[arg-type]
