"""The audio encoder's own training, and the weights that ship from it."""

from pathlib import Path

import pytest
import torch

from auralsam2.data.synthetic.endless import SoundDataset
from auralsam2.data.synthetic.objects import CLASSES
from auralsam2.engine.pretraining.log_mel_cnn import pretrain_audio
from auralsam2.engine.run_folder import OtherRunError
from auralsam2.models.audio.log_mel_cnn import LogMelCNN
from auralsam2.models.weights import locate


def test_items_are_drawn_from_seed_and_index_alone() -> None:
    one, two = SoundDataset(4, seed=1), SoundDataset(9, seed=1)
    for a, b in zip(one[3], two[3]):
        assert torch.equal(a, b)
    log_mel, heard = one[3]
    assert log_mel.shape == (5, 2, 96, 64) and heard.shape == (5, len(CLASSES))
    assert not torch.equal(log_mel, one[2][0])


def test_short_training_is_reproducible_and_exports_what_loads(tmp_path: Path) -> None:
    runs = [
        pretrain_audio(tmp_path / name, clips=8, batch_size=4, width=8, workers=0, num_fresh=8)
        for name in ("a", "b")
    ]
    assert runs[0][1] == runs[1][1]
    with pytest.raises(OtherRunError, match=r"lr: 0\.002 there, 0\.1 now"):
        pretrain_audio(tmp_path / "a", clips=8, batch_size=4, width=8, workers=0, lr=0.1)
    assert 0 <= runs[0][1].exact <= runs[0][1].labels <= 1
    loaded = LogMelCNN(width=8, weights=str(runs[0][0]), frozen=True)
    assert not any(p.requires_grad for p in loaded.parameters())
    assert not loaded.train().network.training


def test_a_width_that_cannot_be_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="multiple of 8, got 4"):
        pretrain_audio(tmp_path / "out", clips=4, batch_size=4, width=4, workers=0)
    assert not (tmp_path / "out").exists()


def test_shipped_weights_separate_the_classes() -> None:
    """A nearest centroid on seconds with one source; chance is 1 in 12."""
    encoder = LogMelCNN(width=16, weights="builtin://log-mel-cnn", frozen=True)
    vectors, labels = [], []
    data = SoundDataset(80, seed=77)
    for i in range(len(data)):
        log_mel, heard = data[i]
        single = heard.sum(1) == 1
        vectors.append(encoder(log_mel[None])[0][single])
        labels.append(heard[single].argmax(1))
    x, y = torch.nn.functional.normalize(torch.cat(vectors), dim=1), torch.cat(labels)
    half = len(x) // 2
    centroids = torch.stack([x[:half][y[:half] == c].mean(0) for c in range(len(CLASSES))])
    known = (x[half:] @ centroids.T).nan_to_num(-2).argmax(1)
    assert (known == y[half:]).float().mean() > 0.9


def test_missing_and_misfitting_weights_are_explained() -> None:
    with pytest.raises(FileNotFoundError, match="builtin://log-mel-cnn.*audio_encoder.weights"):
        LogMelCNN(weights="nowhere.safetensors")
    with pytest.raises(ValueError, match="Set its width"):
        LogMelCNN(width=24, weights="builtin://log-mel-cnn")
    assert locate("builtin://log-mel-cnn").stat().st_size < 1_000_000
