"""What of the package and its optional parts can be used on this machine, and how to get the rest.

Imports nothing that may be broken before a row asks for it, torch included.
"""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module, metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from auralsam2.command_line import output_folder
from auralsam2.messages import is_message, message

if TYPE_CHECKING:
    from packaging.requirements import Requirement

DISTRIBUTION = "auralsam2"
COMPILED = ("torch", "torchvision", "cv2", "soundfile", "sam2", "torchvggish")
"""Modules that are imported: they may be installed and still not load, or be built for nothing."""
REMEDIES = {
    "cv2": "where a library of windows is missing: pip uninstall -y opencv-python; "
    "pip install opencv-python-headless",
    "sam2": "SAM2_BUILD_CUDA=0 pip install sam2==1.1.0",
}
RUNS = "work_dirs"
"""Where runs go unless a config or ``--out`` says otherwise, below the current folder."""
OTHER_FOLDER = "name a folder by --out, or by runtime.work_dir"
TEX_ENGINES = ("pdflatex", "tectonic", "lualatex", "xelatex")


class Row(NamedTuple):
    """One part of the package, or of what a config wants."""

    part: str
    usable: bool
    found: str  # what is there, or what stands in the way
    remedy: str = ""  # how to get it, where it is not usable and the other text does not say
    required: bool = False  # whether nothing works without it


def looked_at(part: str, look: Callable[[], str], remedy: str = "", required: bool = False) -> Row:
    """The row of a look that says what it found, or raises what stands in the way."""
    try:
        return Row(part, True, look(), "", required)
    except Exception as error:  # a broken library raises anything
        told = message(error) if is_message(error) else f"{type(error).__name__}: {error}"
        return Row(part, False, told, remedy, required)


def installed() -> Iterator[Row]:
    """Python, the libraries that the package requires, and one row for each of its extras."""
    try:
        about = metadata.metadata(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        yield Row(DISTRIBUTION, False, "not installed", "pip install its wheel", required=True)
        return
    yield looked_at("Python", lambda: _python(about["Requires-Python"]), required=True)
    stated = _requirements()
    libraries = [each for each in stated if not each.marker or each.marker.evaluate({"extra": ""})]
    yield _libraries("libraries", libraries, f"pip install '{DISTRIBUTION}'", required=True)
    for name in COMPILED:
        remedy = REMEDIES.get(name, f"pip install {name}")
        yield looked_at(name, lambda name=name: _loaded(name), remedy, required=True)
    for extra in about.get_all("Provides-Extra", ()):
        own = [e for e in stated if e.marker and e.marker.evaluate({"extra": extra})]
        own = [each for each in own if each not in libraries]
        yield _libraries(f"extra [{extra}]", own, f"pip install '{DISTRIBUTION}[{extra}]'")


def machine() -> Iterator[Row]:
    """GPUs, TeX, room for runs, and the folder of digests of data that lies elsewhere."""
    yield looked_at("GPU", _gpus, "runs take the CPU")
    engines = [name for name in TEX_ENGINES if shutil.which(name)]
    found = ", ".join(engines) or f"none of {', '.join(TEX_ENGINES)}"
    yield Row("TeX", bool(engines), found, "" if engines else "only tables in .tex want it")
    yield looked_at("room for runs", lambda: _room(RUNS), OTHER_FOLDER)
    yield looked_at("cache", _cache, "XDG_CACHE_HOME names another one; only time hangs on it")


def of_config(name: str, overrides: Sequence[str], base: str | None = None) -> Iterator[Row]:
    """What a config wants: its settings, device, weights and data, as a run would look for them."""
    from auralsam2.config import ConfigError, load, parse_overrides
    from auralsam2.engine.preflight import setting_problems, weight_problems
    from auralsam2.engine.start import check_start

    try:
        cfg = load(name, parse_overrides(overrides), base)
        problems = setting_problems(cfg)
    except ConfigError as error:
        problems = [str(error)]  # which names the file, maybe one that was inherited from
    yield Row("settings", not problems, "\n".join(problems) or name, required=True)
    if problems:
        return
    yield looked_at("device", lambda: _device(cfg), required=True)
    yield looked_at("runs", lambda: _room(cfg.runtime.work_dir), OTHER_FOLDER, required=True)
    for part, files, wrong in weight_problems(cfg):
        if files or wrong:
            found = "\n".join(wrong) or ", ".join(files)
            yield Row(f"weights of {part}", not wrong, found, required=True)
    if cfg.get("start"):
        yield looked_at("start", lambda: check_start(cfg) or str(dict(cfg.start)), required=True)
    yield looked_at("data", lambda: _data(cfg), required=True)


def _room(folder: str) -> str:
    """Whether a folder can be written, there or not, and how much the disk has left for it."""
    path = output_folder(folder).absolute()
    there = next(place for place in (path, *path.parents) if place.exists())
    return f"{folder}: {shutil.disk_usage(there).free / 2**30:,.1f} GiB left"


def _device(cfg: Any) -> str:
    from auralsam2.devices import check_amp, pick_device

    device = pick_device(cfg.runtime.device)
    check_amp(cfg.optim.amp, device)
    return str(device)


def _data(cfg: Any) -> str:
    from auralsam2.engine.preflight import check_classes, check_selection
    from auralsam2.engine.splits import run_datasets

    datasets = run_datasets(cfg)
    check_selection(cfg, datasets["val"])
    check_classes(cfg, datasets)
    splits = datasets.pop("test")
    splits = {**datasets, **splits}
    return f"{cfg.data.root}: " + ", ".join(f"{n} {len(d)} clips" for n, d in splits.items())


def _requirements() -> list[Requirement]:
    from packaging.requirements import Requirement

    return [Requirement(line) for line in metadata.requires(DISTRIBUTION) or ()]


def _python(wanted: str) -> str:
    from packaging.specifiers import SpecifierSet

    here = platform.python_version()
    if not SpecifierSet(wanted).contains(here, prereleases=True):
        raise ValueError(f"{here}, wanted {wanted}")
    return here


def _libraries(
    part: str, requirements: Sequence[Requirement], remedy: str, required: bool = False
) -> Row:
    found, problems = [], []
    for each in requirements:
        try:
            version = metadata.version(each.name)
        except metadata.PackageNotFoundError:
            problems.append(f"no {each.name}")
            continue
        fits = each.specifier.contains(version, prereleases=True)
        (found if fits else problems).append(
            f"{each.name} {version}" + ("" if fits else f", wanted {each.specifier}")
        )
    told = "; ".join(dict.fromkeys(problems)) or (
        f"{len(found)} installed" if required else ", ".join(found)
    )
    return Row(part, not problems, told, remedy if problems else "", required)


def _loaded(name: str) -> str:
    module: Any = import_module(name)
    version = getattr(module, "__version__", None) or metadata.version(name)
    return str(version)


def _gpus() -> str:
    import torch

    from auralsam2.devices import check_amp, num_gpus

    if not num_gpus():
        raise ValueError(
            f"torch {torch.__version__} sees none: look at nvidia-smi and CUDA_VISIBLE_DEVICES"
        )
    shown = []
    for index in range(num_gpus()):
        about = torch.cuda.get_device_properties(index)
        with torch.cuda.device(index):
            try:
                check_amp("bfloat16", torch.device("cuda", index))
                precision = "bfloat16"
            except ValueError:
                precision = "no bfloat16"
        memory = about.total_memory / 2**30
        shown.append(f"cuda:{index} {about.name}, {memory:.0f} GiB, {precision}")
    return f"CUDA {torch.version.cuda}: " + "; ".join(shown)


def _cache() -> str:
    from auralsam2.kept_digests import cached

    places = cached(Path.cwd(), "")
    if not places:
        raise ValueError("XDG_CACHE_HOME and ~ are no absolute paths")
    return str(output_folder(places[0].parent))
