"""From a recording to VGGish's input as AVSBench computes it: the mean of both channels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from auralsam2.data.audio import log_mel_examples
from auralsam2.engine.parity.compare import Row
from auralsam2.engine.parity.fixtures import Fixtures

NAME = "avsbench_audio"
FULL_SCALE = 32768.0
TIGHT = 2e-5


def check_avsbench_audio(fixtures: Fixtures) -> Iterator[Row]:
    """Whole examples, and both ways in which they are padded to the frames of a clip."""
    facts, held = fixtures.facts(NAME), fixtures.expected(NAME)
    samples = held.numbers["waveform_int16"].numpy().astype(np.float64) / FULL_SCALE

    def examples(num_frames: int, rule: str) -> Tensor:
        rate = int(facts["sample_rate"])
        return torch.from_numpy(log_mel_examples(samples, rate, num_frames, rule, "mean"))

    yield held.row("examples", examples(0, "zero_padded"), TIGHT)
    for key, rule in (("padded_s4_ms3", "released"), ("padded_avss", "zero_padded")):
        if key in held.numbers:
            yield held.row(key, examples(len(held.numbers[key]), rule), TIGHT)
