"""The one vector that a frame hears, for blocks in which frames do not attend to tokens."""

from __future__ import annotations

from torch import Tensor

from auralsam2.shapes import check_shape


def audio_of_frames(visual: Tensor, audio: Tensor) -> Tensor:
    """Each frame's own audio token; text tokens join as their mean, added to it.

    The text has no place in time, so every frame gets the same; its padding counts, as it does in
    attention. Without text, nothing is added.

    Args:
        visual: (B, T, N, C).
        audio: (B, M, C), the first T tokens those of the frames, text behind them.

    Returns:
        (B, T, 1, C), to be broadcast over the N tokens of a frame.

    Raises:
        ValueError: where the shapes differ from these.
    """
    sizes = check_shape(visual, "B T N C", name="visual tokens")
    check_shape(audio, "B M C", name="audio tokens", B=sizes["B"], C=sizes["C"])
    own, text = audio[:, : sizes["T"]], audio[:, sizes["T"] :]
    if text.shape[1]:
        own = own + text.mean(dim=1, keepdim=True)
    return own.unsqueeze(2)
