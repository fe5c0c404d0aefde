"""What of a config decides about a result: its hash, and how two configs differ.

Everything counts, keys of tomorrow and arguments of a user's own components included, except what
`MAY_NOT_COUNT` lists.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import PurePath
from typing import Any, NamedTuple

from mmengine.config import Config

from auralsam2.moved_arguments import earlier_type
from auralsam2.weight_files import FILE_KEYS

MAY_NOT_COUNT = {
    "data.root": "the content of the data counts, by their fingerprint",
    "data.*.root": "the content of the data counts, by their fingerprint",
    "data.num_workers": "random draws hang on seed, step, epoch and clip, never on a worker",
    "model.gradient_checkpointing": "gradients are the same",
    "data.keep_decoded": "what is kept equals what is decoded",
    "data.*.keep_decoded": "what is kept equals what is decoded",
    "data.*.log_mel_cache": "what is kept equals what is computed",
    "runtime.work_dir": "where folders are made",
    "runtime.log_every": "how often a line is logged",
    "runtime.tensorboard": "a second copy of the log",
    "runtime.trackers": "further copies of the log",
    "runtime.checkpoint_every": "a resumed run goes on as it would have",
    "runtime.device": "rounding; the record states the device",
    "runtime.num_threads": "rounding; the record states the number",
    "runtime.compile": "rounding, and on the CPU the draws of the fuser's dropout",
    "runtime.channels_last": "rounding, as other kernels have it",
    "custom_imports.imports": "the content of the files counts, as code",
}
"""Dotted keys that do not count -> why; ``*`` is any path between."""

UNSTATED: dict[str, Any] = {
    "data.on_corrupt": "stop",
    "data.keep_decoded": None,
    "optim.warmup": 0,
    "optim.rate_factors": {},
    "optim.cosine_to": None,
    "evaluation.counterfactuals": [],
    "evaluation.clicks": 0,
    "evaluation.measure_speed": True,
    "runtime.hooks": [],
    "runtime.trackers": [],
    "runtime.matmul_precision": "highest",
    "runtime.compile": False,
    "runtime.channels_last": False,
    "start": {},
    "custom_imports.allow_failed_imports": False,
}
"""Keys that a config may lack -> the value that says the same."""

_SHOWN = 60


class Difference(NamedTuple):
    """A key of which two configs say different things; ``absent`` where one says nothing."""

    key: str  # dotted path
    old: str  # value, in words
    new: str

    def __str__(self) -> str:
        """Return it as a line of an error."""
        return f"{self.key}: {self.old} there, {self.new} now"


def config_hash(cfg: Mapping[str, Any]) -> str:
    """Return the identity of what a config computes.

    It does not depend on the order of keys, on tuple or list, on what `MAY_NOT_COUNT` lists, on
    whether a key is absent or says the same (`UNSTATED`), nor on where weights lie (of
    ``checkpoint`` and ``weights`` only the file's name counts; what is in the files is part of a
    run's identity, see `auralsam2.engine.identity`).
    """
    counts = _canonical(plain(cfg), "")
    text = json.dumps(counts, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Difference]:
    """Return where two configs differ in what counts, by key; empty where their hashes agree."""
    was, now = counted(old), counted(new)
    return [
        Difference(key, _shown(was, key), _shown(now, key))
        for key in sorted(was.keys() | now.keys())
        if (key in was) != (key in now) or json.dumps(was[key]) != json.dumps(now[key])
    ]


def counted(cfg: Mapping[str, Any]) -> dict[str, Any]:
    """Return dotted key -> value of all that counts in a config, weight files by their names."""
    return dict(_leaves(_canonical(plain(cfg), ""), ""))


def plain(value: Any) -> Any:
    """Return a config as dicts, lists, tuples and plain values; classes as their dotted paths."""
    if isinstance(value, Config):
        return plain(value.to_dict())
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(plain(item) for item in value)
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    return os.fspath(value) if isinstance(value, PurePath) else value


def counts(key: str) -> bool:
    """Return whether a dotted key is part of the identity of a run."""
    return not any(
        fnmatchcase(key, pattern) or fnmatchcase(key, f"{pattern}.*") for pattern in MAY_NOT_COUNT
    )


def _canonical(value: Any, path: str) -> Any:
    if isinstance(value, Mapping):
        kept = {}
        for key, item in value.items():
            inner = f"{path}.{key}" if path else key
            if not counts(inner):
                continue
            item = earlier_type(key, item)
            made = PurePath(item).name if _is_file(key, item) else _canonical(item, inner)
            if inner in UNSTATED and made == UNSTATED[inner]:
                continue
            # A section in which nothing counts does not count either.
            if made != {} or item == {}:
                kept[key] = made
        return kept
    if isinstance(value, (list, tuple)):
        return [_canonical(item, f"{path}.{index}") for index, item in enumerate(value)]
    # 10 and 10.0 train alike.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _leaves(value: Any, path: str) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        named: Any = value.items()
    elif isinstance(value, list) and any(isinstance(item, (Mapping, list)) for item in value):
        named = enumerate(value)
    else:
        return [(path, value)]
    return [leaf for k, item in named for leaf in _leaves(item, f"{path}.{k}" if path else str(k))]


def _shown(leaves: Mapping[str, Any], key: str) -> str:
    text = repr(leaves[key]) if key in leaves else "absent"
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _is_file(key: str, value: Any) -> bool:
    return key in FILE_KEYS and isinstance(value, str) and "://" not in value
