"""Log-mel examples kept on disk, found again by the content of the sound file."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from auralsam2.data.audio import (
    EXAMPLE_ROWS,
    FRONT_END,
    NUM_MELS,
    log_mel_examples,
    read_waveform,
)
from auralsam2.kept_files import keep
from auralsam2.structures import NUM_EARS

ENTRY = "log_mel"
CHECKSUM = "blake2b"


class LogMelCache:
    """Examples of sound files, computed once.

    An entry belongs to everything that its numbers depend on: the bytes of the file, wherever it
    lies, the rules, the number of frames and the version of the front end. Workers and runs may
    share a folder; what is cut off, altered or of another shape is computed anew.

    Args:
        folder: made where it does not exist.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(os.path.expanduser(folder))

    def examples(
        self, path: Path, num_frames: int, rule: str = "published", channels: str = "both"
    ) -> NDArray[np.float32]:
        """Examples of a sound file, see :func:`log_mel_examples`.

        Returns:
            (T', A, 96, 64), equal to the bit to what the front end computes.

        Raises:
            FileNotFoundError: where there is no such file.
            ValueError: where it cannot be decoded, or on an unknown rule.
        """
        entry = self.entry(path, num_frames, rule, channels)
        found = _read(entry, NUM_EARS.get(channels))
        if found is None:
            samples, rate = read_waveform(path)
            found = log_mel_examples(samples, rate, num_frames, rule, channels)
            keep(entry, _encoded(found))
        return found

    def entry(self, path: Path, num_frames: int, rule: str, channels: str) -> Path:
        """Where the examples of a sound file are kept, whether they are there or not."""
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        key = json.dumps([content, num_frames, rule, channels, FRONT_END])
        name = hashlib.sha256(key.encode()).hexdigest()
        # Some file systems grow slow where one folder has tens of thousands of files.
        return self.folder / name[:2] / f"{name}.safetensors"


def _read(entry: Path, num_ears: int | None) -> NDArray[np.float32] | None:
    """An entry's examples; None where it does not exist or is damaged."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(entry), framework="numpy") as file:
            examples: NDArray[np.float32] = file.get_tensor(ENTRY)
            checksum = (file.metadata() or {}).get(CHECKSUM)
    except (SafetensorError, OSError):
        return None
    shape = (num_ears, EXAMPLE_ROWS, NUM_MELS)
    whole = examples.dtype == np.float32 and examples.shape[1:] == shape
    return examples if whole and checksum == _checksum(examples) else None


def _encoded(examples: NDArray[np.float32]) -> bytes:
    from safetensors.numpy import save

    content: bytes = save({ENTRY: examples}, metadata={CHECKSUM: _checksum(examples)})
    return content


def _checksum(examples: NDArray[np.float32]) -> str:
    return hashlib.blake2b(np.ascontiguousarray(examples).tobytes(), digest_size=16).hexdigest()
