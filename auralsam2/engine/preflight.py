"""What can be known before a run is worth starting: by looking, or by trying its first step."""

from __future__ import annotations

import auralsam2.mmengine_fixes  # noqa: F401  (before all else of mmengine)

# isort: split

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper

from auralsam2.data.collate import SKIPPED
from auralsam2.devices import check_amp, set_up_device
from auralsam2.engine.acceleration import accelerate
from auralsam2.engine.backbone_problems import backbone_problems
from auralsam2.engine.evaluate import build_model, clip_loader
from auralsam2.engine.hooks.step_seed_hook import seed_step
from auralsam2.engine.metric_scales import better
from auralsam2.engine.out_of_memory import telling_what_takes_less
from auralsam2.engine.runner import optimizer_node
from auralsam2.engine.splits import asked_hearing, run_datasets
from auralsam2.engine.start import check_start
from auralsam2.engine.trackers import tracker_problems
from auralsam2.metrics.clip_metric import ClipMetric
from auralsam2.metrics.semantic import ClassMetric
from auralsam2.model_parts import parts_of
from auralsam2.models.decode import decode_mode
from auralsam2.registry import AUDIO_ENCODERS, HOOKS, MASK_LOSSES, METRICS, Registry, load_all
from auralsam2.weight_files import stated_files


def check(cfg: Config, run_dir: Path | None = None) -> None:
    """Say everything that is wrong with a loaded config before anything is built.

    Raises:
        ValueError: naming every setting that does not go with the others, or see `check_start`.
        FileNotFoundError: see `check_weights` and `check_start`.
    """
    if problems := setting_problems(cfg):
        raise ValueError("\n".join(problems))
    check_weights(cfg)
    check_start(cfg, run_dir)


def setting_problems(cfg: Config) -> list[str]:
    """What is wrong with the settings of a valid config, once the classes that it names are known.

    The machine, the weights and the data are not looked at. Every problem has its dotted path.
    """
    problems = _refused(decode_mode, cfg.evaluation.decode) + _refused(asked_hearing, cfg.model)
    metrics = _built("evaluation.metrics", METRICS, cfg.evaluation.metrics, problems)
    hooks = _built("runtime.hooks", HOOKS, cfg.runtime.get("hooks", ()), problems)
    if len(metrics) == len(cfg.evaluation.metrics):
        problems += _metric_problems(metrics, cfg.evaluation.select_by, hooks)
    problems += _class_problems(cfg.model, metrics) + _token_problems(cfg.model)
    return [*problems, *backbone_problems(cfg), *tracker_problems(cfg)]


def _refused(look: Callable[..., object], *looked_at: Any) -> list[str]:
    """What a look at a setting says against it."""
    try:
        look(*looked_at)
    except ValueError as error:
        return [str(error)]
    return []


def _built(key: str, registry: Registry, nodes: Sequence[Any], problems: list[str]) -> list[Any]:
    """Build the nodes of a list, which takes no time; what keeps one from it joins the problems."""
    built = []
    for index, node in enumerate(nodes):
        try:
            built.append(registry.build(dict(node)))
        except (ValueError, TypeError, AssertionError) as error:  # hooks of mmengine assert
            problems.append(f"{key}.{index}: {error}")
    return built


def _metric_problems(metrics: Sequence[Any], select_by: str, hooks: Sequence[Any]) -> list[str]:
    """Metrics that are asked for and not there; hooks that ask for one offer ``watch(metrics)``."""
    problems = _refused(better, metrics, select_by)
    for hook in hooks:
        told = _refused(getattr(hook, "watch", lambda _: None), metrics)
        problems += [f"runtime.hooks, {type(hook).__name__}: {problem}" for problem in told]
    return problems


def _class_problems(model: Mapping[str, Any], metrics: Sequence[Any]) -> list[str]:
    """Metrics of classes where a method says that it has no class head."""
    by_class = _of_classes(metrics)
    (method, *_) = parts_of(model)
    told = getattr(method.component, "has_class_head", None)
    if not by_class or told is None or told(**method.arguments):
        return []
    return [
        f"{by_class} of evaluation.metrics scores classes, and {model['type']} has no class head; "
        "leave it out, or take a method that tells classes apart (model.num_classes of "
        "TPAVINetwork or AVSegFormer)"
    ]


def _token_problems(model: Mapping[str, Any]) -> list[str]:
    """Encoders that give several tokens a second to a method that takes one."""
    method, *parts = parts_of(model)
    if getattr(method.component, "reads_tokens", False):
        return []
    return [
        f"{part.path}.tokens={part.arguments['tokens']}: {model['type']} takes one vector a "
        "second; set it to 1, or take AuralSAM2"
        for part in parts
        if part.kind == AUDIO_ENCODERS.config_key and part.arguments.get("tokens", 1) != 1
    ]


def _of_classes(metrics: Sequence[Any]) -> str:
    """Names of those metrics that score classes."""
    return ", ".join(type(metric).__name__ for metric in metrics if isinstance(metric, ClassMetric))


def check_weights(cfg: Config) -> None:
    """Look for every weight file that the model's parts will want.

    A component class may offer ``problems(**node) -> list[str]``; all answers are collected, those
    of components inside of others too, whose keys are then told from the model on.

    Raises:
        FileNotFoundError: naming path, published file and key of everything that is missing.
    """
    if problems := [text for _, _, found in weight_problems(cfg) for text in found]:
        raise FileNotFoundError("\n".join(problems))


def weight_problems(cfg: Config) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield each part of the model with the weight files that it states, and what is wrong."""
    for part in parts_of(cfg.model.to_dict()):
        check = getattr(part.component, "problems", None)
        found = [] if check is None else check(**part.arguments)
        files = [value for key, value in stated_files(part.arguments) if "." not in key]
        # A part speaks of itself as if the model held it.
        yield part.path, files, [t.replace(f"`model.{part.kind}.", f"`{part.path}.") for t in found]


def check_selection(cfg: Config, val: Any) -> None:
    """Refuse to select by a metric that is not a number on val whatever is predicted.

    The truth of val stands in for predictions, clip by clip until one counts, which with most
    metrics is the first.

    Raises:
        ValueError: where val is empty, there is no such metric, or no clip of val counts in it.
    """
    if not len(val):
        raise ValueError("data.val holds no clip, and the weights of a run are selected on it")
    name = cfg.evaluation.select_by
    metrics = [METRICS.build(node) for node in cfg.evaluation.metrics]
    better(metrics, name)
    chosen = next(metric for metric in metrics if metric.name == name)
    if type(chosen).process is not ClipMetric.process:
        return  # it reads more of a prediction than its masks
    if not any(_counts(chosen, val[index]) for index in range(len(val))):
        others = ", ".join(metric.name for metric in metrics if metric is not chosen)
        raise ValueError(
            f"evaluation.select_by={name!r} is not a number on data.val: none of its {len(val)} "
            f"clips counts in that metric; select by another one ({others or 'none is stated'})"
        )


def _counts(metric: ClipMetric, item: dict[str, Any]) -> bool:
    truth, supervised = item["native_masks"], item["supervised"]
    if not supervised.any():
        return False
    sample = dict(clip=item["clip"], mask_logits=truth.float() * 2 - 1, masks=truth)
    metric.results.clear()
    metric.process(None, [{**sample, "supervised": supervised}])
    ((_, outcome),) = metric.results
    metric.results.clear()
    return outcome is not None and math.isfinite(metric.average([outcome]))


def check_classes(cfg: Config, datasets: Mapping[str, Any]) -> None:
    """Refuse classes that val does not give, or more of them than the model tells apart.

    Of the latter a batch tells nothing until one shows the last class.

    Args:
        cfg: a loaded config; a class head has ``model.num_classes``, the background included.
        datasets: ``train`` and ``val``, whose ``class_map`` is read where they have one.

    Raises:
        ValueError: naming every data set that does not go with the config.
    """
    problems = []
    metrics = [METRICS.build(node) for node in cfg.evaluation.metrics]
    by_class = _of_classes(metrics)
    if by_class and "semantic" not in datasets["val"][0]:
        problems.append(
            f"{by_class} of evaluation.metrics scores classes, and data.val gives none; "
            "set semantic=True there and in data.test (AVSBench's semantic release has classes)"
        )
    head, loss = cfg.model.get("num_classes"), cfg.model.get("mask_loss")
    taught = loss is not None and getattr(MASK_LOSSES.lookup(loss["type"]), "of_classes", False)
    for split in ["train"] * taught + ["val"] * bool(by_class):
        class_map = getattr(datasets[split], "class_map", None)
        if class_map is not None and head is not None and head < len(class_map.names):
            problems.append(
                f"model.num_classes={head} is too few for data.{split}, which has "
                f"{len(class_map.names)} classes, the background included"
            )
    if problems:
        raise ValueError("\n".join(problems))


class FirstStep(NamedTuple):
    """What trying a config has shown."""

    seconds: float  # all in all
    gpu_bytes: int  # largest memory that was allocated; 0 without a GPU


def first_step(cfg: Config) -> FirstStep:
    """Build data, model and optimizer of a config, train on one batch, score one batch of val.

    Nothing is written. The batch is as large as in training, so that a GPU that is too small
    shows; what grows over an epoch, such as a memory bank, does not.

    Raises:
        FloatingPointError: where the loss is not a number.
        Exception: whatever the parts raise.
    """
    started = time.monotonic()
    built = build(cfg)
    model, datasets, on_gpu = built.model, built.datasets, built.device.type == "cuda"
    with telling_what_takes_less(cfg, on_gpu):
        if any(p.requires_grad for p in model.parameters()):
            _train(model, cfg, _batch(cfg, datasets["train"]))
        _score(model, cfg, _batch(cfg, datasets["val"]))
    memory = torch.cuda.max_memory_allocated(built.device) if on_gpu else 0
    return FirstStep(time.monotonic() - started, memory)


class Built(NamedTuple):
    """What a step needs."""

    device: torch.device  # of the model
    datasets: Mapping[str, Any]  # as `run_datasets` gives them
    model: Any  # on its device


def build(cfg: Config) -> Built:
    """Check a config, and build its data sets and its model; a GPU's peak of memory begins anew.

    Raises:
        ValueError: where settings, data and machine do not go together; see also `check`.
    """
    check(cfg)
    load_all()
    device = set_up_device(cfg.runtime)
    check_amp(cfg.optim.amp, device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    datasets = run_datasets(cfg)
    check_selection(cfg, datasets["val"])
    check_classes(cfg, datasets)
    return Built(device, datasets, accelerate(build_model(cfg).to(device), cfg.runtime))


def _batch(cfg: Config, dataset: Any) -> dict[str, Any]:
    batch: dict[str, Any] = next(iter(clip_loader(cfg, dataset)))
    batch.pop(SKIPPED, None)
    return batch


def _train(model: Any, cfg: Config, batch: dict[str, Any]) -> None:
    seed_step(model, cfg.seed, 0)
    model.train()
    node = optimizer_node(cfg, next(model.parameters()).device)
    loss = float(model.train_step(batch, build_optim_wrapper(model, node))["loss"].detach())
    if not math.isfinite(loss):
        raise FloatingPointError(f"the loss of the first step is {loss}")


def _score(model: Any, cfg: Config, batch: dict[str, Any]) -> None:
    model.eval()
    with torch.no_grad():
        results = model.val_step(batch)
    for node in cfg.evaluation.metrics:
        METRICS.build(node).process(batch, results)
