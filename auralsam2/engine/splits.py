"""Build the data sets of a config; control splits share what they wrap."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from mmengine.config import Config

from auralsam2.counterfactuals import is_control, with_controls
from auralsam2.data.datasets.guarded import Guarded
from auralsam2.engine.identity import digest
from auralsam2.messages import unknown_name
from auralsam2.model_parts import parts_of
from auralsam2.registry import AUDIO_ENCODERS, DATASETS
from auralsam2.signature import parameters_of
from auralsam2.structures import NUM_EARS, Hearing


class DataSettings(NamedTuple):
    """How clips are read."""

    num_frames: int = 5  # T of the longest, where the data set's class says so: `frames_per_clip`
    audio_rule: str = "published"  # see `log_mel_examples`
    frame_interpolation: str = "bilinear"  # see `Resizing`


def run_datasets(cfg: Config) -> dict[str, Any]:
    """All data sets of a run: ``train``, ``val``, and under ``test`` those of all test splits.

    They have the root and image size of the config, and are guarded against corrupt files.
    """
    train = cfg.data.train.to_dict()
    # Transforms are the only thing in it that is random.
    if "seed" in parameters_of(DATASETS.lookup(train["type"])).known:
        train.setdefault("seed", cfg.seed)
    return {
        "train": _guarded(cfg, _built(cfg, train), "train", training=True),
        "val": _guarded(cfg, _built(cfg, cfg.data.val.to_dict()), "val"),
        "test": test_datasets(cfg),
    }


def test_datasets(
    cfg: Config, nodes: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, Any]:
    """Test sets by name.

    A control whose node wraps the same data as another split gets that very data set: files are
    read and hashed once for all of them. Without ``nodes`` these are all of the config, those of
    ``evaluation.counterfactuals`` included.
    """
    if nodes is None:
        nodes = with_controls(cfg.data.test.to_dict(), cfg.evaluation.get("counterfactuals", ()))
    built: dict[str, Any] = {}

    def once(node: Mapping[str, Any]) -> Any:
        key = json.dumps(node, sort_keys=True, default=str)
        if key not in built:
            inner = node.get("dataset") if is_control(node) else None
            shared = {"dataset": once(inner)} if isinstance(inner, Mapping) else {}
            built[key] = _built(cfg, {**node, **shared})
        return built[key]

    return {name: _guarded(cfg, once(node), name) for name, node in nodes.items()}


def split_dataset(cfg: Config, split: str, labelled: bool) -> Guarded:
    """One split of a config, its clips as they are, with or without their labels.

    Raises:
        ValueError: where there is no such split.
    """
    nodes = {"train": cfg.data.train, "val": cfg.data.val, **cfg.data.test}
    if split not in nodes:
        raise ValueError(unknown_name("split", split, sorted(nodes)))
    return _guarded(cfg, _built(cfg, _as_it_is(nodes[split].to_dict(), labelled)), split)


def _as_it_is(node: Mapping[str, Any], labelled: bool) -> dict[str, Any]:
    """The node of a data set, and of what it wraps, that transforms nothing."""
    known = parameters_of(DATASETS.lookup(node["type"])).known
    wanted: dict[str, Any] = {"transforms": [], "labelled": labelled}
    changed = {**node, **{key: value for key, value in wanted.items() if key in known}}
    inner = node.get("dataset")
    return changed | ({"dataset": _as_it_is(inner, labelled)} if inner is not None else {})


def _built(cfg: Config, node: Mapping[str, Any]) -> Any:
    data = cfg.data
    return DATASETS.build(
        node,
        root=data.root,
        image_size=data.image_size,
        **asked_hearing(cfg.model)._asdict(),
        keep_decoded=data.get("keep_decoded"),
    )


def data_settings(node: Mapping[str, Any]) -> DataSettings:
    """How a node of a data set, or the one that it wraps, reads its clips; no file is looked at."""
    while isinstance(node.get("dataset"), Mapping):
        node = node["dataset"]
    stated = {key: value for key, value in node.items() if key != "type"}
    component = DATASETS.lookup(node["type"])
    known = {name: p.default for name, p in parameters_of(component).known.items()} | stated
    length = getattr(component, "frames_per_clip", None)
    usual = DataSettings(length(**stated)) if length else DataSettings()
    return DataSettings(*(known.get(name, value) for name, value in usual._asdict().items()))


def asked_hearing(model: Mapping[str, Any]) -> Hearing:
    """What the audio encoders of a model want to hear of a recording.

    Args:
        model: node of the config; its encoders, of its parts too, stand under ``audio_encoder``.

    Returns:
        Log-mel examples of both channels where nothing listens.

    Raises:
        ValueError: where one wants what there is not, or two of them different things.
    """
    asked = dict(_asked(model))
    wrong = {p: h.channels for p, h in asked.items() if h.channels not in NUM_EARS}
    if wrong:
        stated = ", ".join(f"{path}.channels={value!r}" for path, value in wrong.items())
        raise ValueError(f"got {stated}; known: {', '.join(NUM_EARS)}")
    if len(set(asked.values())) > 1:
        stated = ", ".join(f"{path}{_told(hearing)}" for path, hearing in asked.items())
        raise ValueError(f"all audio encoders of a model hear the same; got {stated}")
    return next(iter(asked.values()), Hearing())


def _told(hearing: Hearing) -> str:
    rate = hearing.waveform_rate
    form = "log-mels" if rate is None else f"samples, {rate} a second"
    return f".channels={hearing.channels!r} ({form})"


def _asked(model: Mapping[str, Any]) -> Iterator[tuple[str, Hearing]]:
    for part in parts_of(model):
        if part.kind == AUDIO_ENCODERS.config_key:
            default = parameters_of(part.component).known.get("channels")
            usual = "both" if default is None else default.default
            rate = getattr(part.component, "waveform_rate", None)
            yield part.path, Hearing(part.arguments.get("channels", usual), rate)


def _guarded(cfg: Config, dataset: Any, name: str, training: bool = False) -> Guarded:
    on_corrupt, num_workers = cfg.data.get("on_corrupt", "stop"), cfg.data.num_workers
    return Guarded(dataset, on_corrupt, training, num_workers, name)


def _every(datasets: Mapping[str, Any]) -> list[Any]:
    return [datasets["train"], datasets["val"], *datasets["test"].values()]


def fingerprint(datasets: Mapping[str, Any]) -> str:
    """One fingerprint of all splits, which depends on their order."""
    return digest("\n".join(dataset.fingerprint() for dataset in _every(datasets)))


def label_source(datasets: Mapping[str, Any]) -> str:
    """Where the labels come from: every source once, in the order of the splits."""
    sources = [getattr(dataset, "label_source", "") for dataset in _every(datasets)]
    return ", ".join(dict.fromkeys(source for source in sources if source))
