"""What sound beside clicks costs: AuralSAM2, SAM2 alone, and SAM2 beside a method of adapters."""

from __future__ import annotations

from collections.abc import Iterator

from mmengine.config import Config
from mmengine.logging import MMLogger

from auralsam2 import config as configs
from auralsam2.engine.benchmark.cases import Asked, Shown
from auralsam2.engine.benchmark.meters import machine
from auralsam2.engine.benchmark.prompting import measure
from auralsam2.engine.benchmark.report import Prompting, plain
from auralsam2.engine.benchmark.table import prompting_conditions, prompting_tables
from auralsam2.engine.evaluate import trained_model
from auralsam2.engine.preflight import check_weights
from auralsam2.models.auralsam2 import AuralSAM2
from auralsam2.models.methods.base import SAM2Method
from auralsam2.predictor.trained import of_config
from auralsam2.predictor.video import AuralSAM2VideoPredictor
from auralsam2.predictor.ways import (
    Clicks,
    ClicksAndSound,
    ClicksBesideAdapter,
    OfficialClicks,
    synthetic_clip,
)
from auralsam2.registry import MODELS, load_all

OFFICIAL, KEPT = "SAM2, official predictor", "SAM2, features kept"


def prompting_speed(
    asked: Asked, adapter: str, num_frames: int, steps: int, warmup: int
) -> Prompting:
    """Measure ways of prompting on one clip, with the weights that a config starts with.

    Args:
        asked: an AuralSAM2; its data are not read.
        adapter: config of a method with a SAM2, for which it takes that of the other one, and its
            audio encoder.
        num_frames: of the clip, one second apart; at least 2.
        steps: rounds that are timed.
        warmup: rounds before them.

    Raises:
        ValueError: where one of the models is of another kind; FileNotFoundError where weights
            are missing.
    """
    load_all()
    MMLogger.get_instance("benchmark").setLevel("ERROR")  # it lists every frozen weight
    cfg = asked.load({})
    with asked.weights_needed():
        check_weights(cfg)
    trained, other = of_config(cfg, None), _adapter(asked, cfg, adapter)
    predictor = AuralSAM2VideoPredictor(trained)
    # Of every way: by its default SAM2 forgets a click on a frame that it has answered already.
    predictor.add_all_frames_to_correct_as_cond = True
    shown = synthetic_clip(num_frames, cfg.data.image_size, cfg.seed)
    ways = {
        OFFICIAL: OfficialClicks(predictor, shown),
        KEPT: Clicks(predictor, shown),
        type(trained.model).__name__: ClicksAndSound(predictor, shown),
        f"SAM2 beside {type(other).__name__}": ClicksBesideAdapter(predictor, shown, other),
    }
    found = measure(ways, KEPT, steps, warmup)
    again = num_frames - 1 - shown.middle
    return Prompting(found, KEPT, num_frames, again, steps, _conditions(cfg, predictor))


def prompting_shown(
    asked: Asked, adapter: str, num_frames: int, steps: int, warmup: int
) -> Iterator[Shown]:
    """What `prompting_speed` finds."""
    found = prompting_speed(asked, adapter, num_frames, steps, warmup)
    yield Shown(prompting_conditions(found), prompting_tables(found), {"prompting": plain(found)})


def _adapter(asked: Asked, cfg: Config, name: str) -> SAM2Method:
    """A method with the SAM2 and the ears of the other model, at its size."""
    loaded = Asked(name, {}, False, asked.random_weights).load({})
    shared = {f"model.{key}": cfg.model[key].to_dict() for key in ("backbone", "audio_encoder")}
    same = {key: node for key, node in shared.items() if key.partition(".")[2] in loaded.model}
    same |= {"data.image_size": cfg.data.image_size, "runtime": cfg.runtime.to_dict()}
    if not _encodes_again(loaded):
        known = [each for each in configs.names("methods") if _encodes_again(configs.load(each))]
        raise ValueError(
            f"--adapter {name}: {loaded.model.type} has no SAM2 that encodes frames again; known: "
            f"{', '.join(known)}"
        )
    loaded = Asked(name, same, False, asked.random_weights).load({})
    with asked.weights_needed():
        check_weights(loaded)
    model = trained_model(loaded, None).eval()
    assert isinstance(model, SAM2Method)
    return model


def _encodes_again(cfg: Config) -> bool:
    """Whether a method has a SAM2 of its own; AuralSAM2 answers from the encoding that is there."""
    kind = MODELS.lookup(cfg.model.type)
    return (
        "backbone" in cfg.model and issubclass(kind, SAM2Method) and not issubclass(kind, AuralSAM2)
    )


def _conditions(cfg: Config, predictor: AuralSAM2VideoPredictor) -> dict[str, object]:
    return {
        **machine(predictor.device),
        "image_size": cfg.data.image_size,
        "window": predictor.trained.num_frames,  # frames that the fuser sees together
    }
