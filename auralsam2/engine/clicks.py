"""How much does a click help: scores after 0, 1, 2 ... corrective clicks, with and without sound.

A click goes where a person would begin: into the frame of the clip with the lowest J, there into
the largest region that is wrong, at the pixel farthest from its border. It is positive where
something was missed, negative where too much was segmented. Nothing is drawn at random. Interactive
segmentation is scored so since Xu et al. (Deep Interactive Object Selection, CVPR 2016); the worst
frame of a clip is the one that the interactive DAVIS challenge hands out next (Caelles et al. 2018)
and SAM 2 in its offline evaluation (Ravi et al. 2024).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor, nn

from auralsam2.clicked_splits import UNCLICKED, Clicked
from auralsam2.metrics.clip_metric import ClipMetric
from auralsam2.metrics.jaccard import jaccard, predicted_foreground
from auralsam2.models.backbones.promptable import Points
from auralsam2.models.decode import clip_results, decode_mode
from auralsam2.models.interaction import CannotClickError, Interaction
from auralsam2.models.methods.base import ClipBatch
from auralsam2.models.methods.prompted import thickest
from auralsam2.registry import METRICS


class Click(NamedTuple):
    """A click on a picture."""

    x: float  # in pixels from the left, 0.5 in the middle of the first one
    y: float  # likewise from the top
    positive: bool  # it belongs to the object


def corrective_click(predicted: NDArray[np.bool_], truth: NDArray[np.bool_]) -> Click | None:
    """Click where it is most wrong; None where nothing is.

    Both masks are (H, W). Pixels that touch at a corner are of one region. Of regions of one size
    what was missed comes first, then by rows.
    """
    largest, where, positive = 0, None, True
    for wrong, missed in ((truth & ~predicted, True), (predicted & ~truth, False)):
        numbers, _ = ndimage.label(wrong, structure=np.ones((3, 3)))
        sizes = np.bincount(numbers.ravel())
        sizes[0] = 0
        if sizes.max() > largest:
            largest, where, positive = sizes.max(), numbers == sizes.argmax(), missed
    if where is None:
        return None
    row, column = thickest(where)
    return Click(column + 0.5, row + 0.5, positive)


class Asked(NamedTuple):
    """What a person sees of a clip."""

    clip: str  # its name
    truth: Tensor  # (T, H, W)
    supervised: Tensor  # (T,) bool, frames whose truth is known


def rounds(
    interaction: Interaction, asked: Asked, count: int, decode: str, side: int
) -> Iterator[tuple[dict[str, Any], int | None]]:
    """Yield the result of a clip after 0 to ``count`` clicks, and the frame that is clicked next.

    Results are those of `clip_results`. No frame is clicked after the last one, nor where the
    worst frame has nothing wrong.

    Args:
        interaction: the clip.
        asked: its truth.
        count: of clicks.
        decode: mode of decoding.
        side: of the model's input, in pixels.
    """
    given: dict[int, list[Click]] = {}
    shown = [asked.truth], asked.supervised[None], [asked.clip]
    for number in range(count + 1):
        (result,) = clip_results(interaction.answer(), decode_mode(decode), *shown)
        frame, click = _next_click(result) if number < count else (0, None)
        yield result, None if click is None else frame
        if click is not None:
            clicks = given.setdefault(frame, [])
            clicks.append(click)
            interaction.click(frame, _points(clicks, asked.truth, side))


def _next_click(result: Mapping[str, Any]) -> tuple[int, Click | None]:
    """Of the supervised frame with the lowest J; of several the first."""
    logits, truth = result["mask_logits"], result["masks"].to(result["mask_logits"].device)
    scores = jaccard(logits, truth).where(result["supervised"].to(logits.device), torch.inf)
    frame = int(scores.argmin())
    predicted, wanted = predicted_foreground(logits[frame]), truth[frame] > 0
    return frame, corrective_click(predicted.cpu().numpy(), wanted.cpu().numpy())


def _points(clicks: Sequence[Click], truth: Tensor, side: int) -> Any:
    """All clicks of a frame as the model reads them, at its own size."""
    height, width = truth.shape[-2:]
    coords = [[c.x * side / width, c.y * side / height] for c in clicks]
    labels = [int(c.positive) for c in clicks]
    return Points(
        torch.tensor([coords], device=truth.device),
        torch.tensor([labels], dtype=torch.int32, device=truth.device),
    )


class ClickScores:
    """Scores of splits after clicks, batch by batch; of controls there are none.

    Args:
        cfg: a loaded config; ``evaluation.clicks`` is how many, 0 for no such scores at all.
        model: on its device.
        datasets: by split.

    Attributes:
        problem: why there are none although they are asked for; else empty.
    """

    def __init__(self, cfg: Config, model: nn.Module, datasets: Mapping[str, Any]) -> None:
        self.cfg, self.model, self.problem = cfg, model, ""
        self.count = int(cfg.evaluation.get("clicks", 0))
        self.splits = [
            split
            for split, dataset in datasets.items()
            if self.count and not getattr(dataset, "counterfactual", None)
        ]
        self.scored: dict[str, dict[str, _Scored]] = {split: {} for split in self.splits}
        if self.splits and not _metrics(cfg):
            self.problem = "no scores after clicks: evaluation.metrics has none of masks alone"

    def add(self, split: str, batch: Mapping[str, Any]) -> None:
        """Click on the clips of a batch, with their sound where the model hears, and without."""
        if split not in self.splits or self.problem:
            return
        data = ClipBatch(**self.model.data_preprocessor(dict(batch), False))
        for heard in ways(self.model):
            try:
                clips = interactions(self.model, data, heard)
            except CannotClickError as error:
                self.problem = f"no scores after clicks: {error}"
                return
            for i, interaction in enumerate(clips):
                self._click(split, heard, interaction, data, i)

    def results(self, split: str) -> Iterator[tuple[str, dict[str, float], dict[str, Any]]]:
        """Name, means and scores of single clips of every split that clicks make of one."""
        for name, scored in self.scored.get(split, {}).items():
            yield name, *scored.result()

    @property
    def metrics(self) -> list[Any]:
        """One of each name."""
        scored = [each for splits in self.scored.values() for each in splits.values()]
        return [*scored[0].whole, *scored[0].rest] if scored else []

    def _click(
        self, split: str, heard: bool, interaction: Interaction, data: ClipBatch, i: int
    ) -> None:
        truths = data.masks if data.native_masks is None else data.native_masks
        asked = Asked(data.clip[i], truths[i], data.supervised[i])
        side = data.frames.shape[-1]
        found = list(rounds(interaction, asked, self.count, self.cfg.evaluation.decode, side))
        # The same frames after any number of clicks: else the worst ones would leave one by one.
        rest = asked.supervised.clone()
        rest[[frame for _, frame in found if frame is not None]] = False
        for number, (result, _) in enumerate(found):
            name = Clicked(split, number, heard).name
            self.scored[split].setdefault(name, _Scored(self.cfg)).add(result, rest)


class _Scored:
    """Scores of one split after one number of clicks."""

    def __init__(self, cfg: Config) -> None:
        self.whole, self.rest = _metrics(cfg), _metrics(cfg)
        for metric in self.rest:
            metric.prefix = f"{UNCLICKED}{metric.prefix or ''}".removesuffix("/")
        self.num_clips = 0

    def add(self, result: dict[str, Any], rest: Tensor) -> None:
        """Score a clip over its supervised frames, and over the ``rest`` of them, (T,) bool."""
        self.num_clips += 1
        for metric in self.whole:
            metric.process(None, [result])
        if rest.any():
            for metric in self.rest:
                metric.process(None, [{**result, "supervised": rest}])

    def result(self) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
        """Means, and scores of single clips."""
        counting = [metric for metric in (*self.whole, *self.rest) if metric.results]
        return means_and_clips(counting, self.num_clips)


def means_and_clips(
    metrics: Sequence[ClipMetric], num_clips: int
) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """What metrics make of the clips that they were shown: means, and scores of single clips."""
    means = Evaluator(metrics).evaluate(num_clips) if metrics else {}
    per_clip = {metric.name: dict(metric.per_clip) for metric in metrics}
    return {name: float(value) for name, value in means.items()}, per_clip


def interactions(model: nn.Module, data: ClipBatch, heard: bool) -> Sequence[Interaction]:
    """See :meth:`ClipMethod.interactions`, of a model of whatever class."""
    if not hasattr(model, "interactions"):
        raise CannotClickError(f"{type(model).__name__} does not say how clicks enter it")
    found: Sequence[Interaction] = model.interactions(data, heard)
    return found


def hears(model: nn.Module) -> bool:
    """Whether sound has a part in a model's masks; where it does not say so, it may."""
    return bool(getattr(model, "hears", True))


def ways(model: nn.Module) -> Sequence[bool]:
    """Whether a model's clips are clicked on with their sound, without, or both."""
    return (True, False) if hears(model) else (False,)


def _metrics(cfg: Config) -> list[ClipMetric]:
    """Those of the config that read nothing of a result but its masks."""
    built = [METRICS.build(node) for node in cfg.evaluation.metrics]
    return [metric for metric in built if type(metric).process is ClipMetric.process]
