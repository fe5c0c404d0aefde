"""Points and boxes from a map of how much each place looks like what is heard (SAM4AVS).

Axes: C channels of the common space, h and w sides of the visual map, S side of the image, P
points. Points are x and y in pixels with labels 1 (positive) and 0 (negative), one prompt of SAM2
a map; the released code asks for three masks there and takes the one of the highest predicted IoU.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from auralsam2.shapes import check_shape

Points = tuple[Tensor, Tensor]


def similarity_map(audio: Tensor, visual: Tensor, size: int, reverse: bool = True) -> Tensor:
    """Cosine of (1, C) and each place of (1, C, h, w), brought to [0, 1] and to (S, S).

    ``reverse`` turns it upside down first: features of CLIP surgery are alike where nothing is.
    """
    check_shape(audio, "1 C", name="audio vector")
    check_shape(visual, "1 C h w", name="visual map", C=audio.shape[1])
    cosine = F.cosine_similarity(visual, audio[..., None, None], dim=1)[None]
    cosine = 1 - cosine if reverse else cosine
    scaled = (cosine - cosine.min()) / (cosine.max() - cosine.min())
    return F.interpolate(scaled, size=(size, size), mode="bilinear", align_corners=False)[0, 0]


def _labelled(positive: Tensor, negative: Tensor) -> Points:
    labels = positive.new_ones(len(positive), dtype=torch.int32)
    labels = torch.cat([labels, negative.new_zeros(len(negative), dtype=torch.int32)])
    return torch.cat([positive, negative]).float(), labels


def _centres(index: Tensor, width: int, step: int = 1) -> Tensor:
    """Columns and rows of the middles of cells that are numbered row by row."""
    return (torch.stack([index % width, index // width], dim=-1) + 0.5) * step


def top_points(similarity: Tensor) -> Points:
    """The highest place of (S, S) and the lowest."""
    flat, width = similarity.flatten(), similarity.shape[1]
    return _labelled(_centres(flat.argmax()[None], width), _centres(flat.argmin()[None], width))


def peak_points(similarity: Tensor, threshold: float = 0.6, column_twice: bool = False) -> Points:
    """Strict local maxima above ``threshold``, and minima below 1 - ``threshold``, row by row.

    Neighbours are the four beside a place; the border has no peaks. As released
    (``column_twice``), y is the column, too, so that all points lie on the diagonal.
    """
    found = []
    for sign, level in ((1, threshold), (-1, threshold - 1)):
        values = sign * similarity
        middle = values[1:-1, 1:-1]
        beside = [values[:-2, 1:-1], values[2:, 1:-1], values[1:-1, :-2], values[1:-1, 2:]]
        row, column = ((middle > torch.stack(beside).amax(0)) & (middle > level)).nonzero().T + 1
        found.append(torch.stack([column, column if column_twice else row], dim=-1))
    return _labelled(*found)


def dense_points(similarity: Tensor, threshold: float = 0.85, step: int = 7) -> Points:
    """On a grid of ``step`` pixels the n cells above ``threshold``, and the n lowest ones.

    n is at least 1 and at most half of all cells.
    """
    size = [side // step for side in similarity.shape]
    grid = F.interpolate(similarity[None, None], size=size, mode="bilinear", align_corners=False)
    grid = (grid - grid.min()) / (grid.max() - grid.min())
    order = grid.flatten().argsort()
    num = min(max(int((grid >= threshold).sum()), 1), len(order) // 2)
    return _labelled(*(_centres(some, size[1], step) for some in (order[-num:], order[:num])))
