"""The small audio encoder: size, independence of clips, and that it tells mixtures apart."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from auralsam2.models.audio.log_mel_cnn import LogMelCNN


def _mixtures(num: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Log-mel of up to 4 bands that sound together, over noise: (num, 1, 2, 96, 64), (num, 4)."""
    sounding = torch.rand(num, 4, generator=generator) < 0.4
    mel = 0.02 * torch.rand(num, 1, 2, 96, 64, generator=generator)
    loudness = torch.rand(num, 4, 2, generator=generator) + 0.3
    for k in range(4):
        band = (sounding[:, k, None] * loudness[:, k])[:, None, :, None, None]
        mel[..., 10 * k + 5 : 10 * k + 9] += band
    return (mel + 0.01).log(), sounding.float()


def test_vectors_of_the_asked_width() -> None:
    encoder = LogMelCNN(out_channels=24, width=8)
    assert encoder.out_channels == 24
    assert encoder(torch.randn(2, 3, 2, 96, 64)).shape == (2, 3, 24)


def test_default_size() -> None:
    assert 100_000 < sum(p.numel() for p in LogMelCNN().parameters()) < 300_000


@torch.no_grad()
def test_frames_do_not_share_statistics_in_training() -> None:
    encoder, log_mel = LogMelCNN(width=8), torch.randn(2, 2, 2, 96, 64)
    alone = encoder(log_mel[1:, 1:])
    torch.testing.assert_close(encoder(log_mel)[1:, 1:], alone, atol=1e-5, rtol=1e-5)


def test_learns_mixtures_in_a_few_steps() -> None:
    generator = torch.Generator().manual_seed(0)
    encoder, head = LogMelCNN(out_channels=32, width=8), nn.Linear(32, 4)
    optimizer = torch.optim.AdamW([*encoder.parameters(), *head.parameters()], lr=5e-3)
    for _ in range(40):
        log_mel, sounding = _mixtures(16, generator)
        loss = F.binary_cross_entropy_with_logits(head(encoder(log_mel))[:, 0], sounding)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    log_mel, sounding = _mixtures(64, generator)
    with torch.no_grad():
        heard = head(encoder(log_mel))[:, 0] > 0
    assert (heard == (sounding > 0.5)).float().mean() > 0.9


def test_every_wrong_size_is_named() -> None:
    with pytest.raises(ValueError, match="must be even .* got 7; width must be .* 8, got 12"):
        LogMelCNN(out_channels=7, width=12)
