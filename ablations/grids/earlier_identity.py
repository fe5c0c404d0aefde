"""The name that earlier code gave a run, to find the folders that it has left.

Then ``runtime`` and ``custom_imports`` did not count, hooks included, nor the content of files
other than weights, while the number of loader processes did.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from auralsam2.config_identity import plain as as_plain
from auralsam2.engine.identity import WORK, digest, file_digests
from auralsam2.moved_arguments import earlier_type
from auralsam2.weight_files import FILE_KEYS

_UNCOUNTED = ("runtime", "custom_imports")


def earlier_work(plain: Mapping[str, Any], data: str) -> str:
    """Return the hash of config, seed, data and weights by the rule of then.

    Args:
        plain: a resolved config.
        data: fingerprint of its data.
    """
    contents = [
        content
        for key, content in file_digests(plain).items()
        if key.rpartition(".")[2] in FILE_KEYS
    ]
    return digest(earlier_config_hash(plain), data, *contents)[:WORK]


def earlier_config_hash(plain: Mapping[str, Any]) -> str:
    """Return the hash of a config by the rule of then."""
    counted = {key: value for key, value in as_plain(plain).items() if key not in _UNCOUNTED}
    return digest(
        json.dumps(_canonical(counted), sort_keys=True, separators=(",", ":"), allow_nan=False)
    )


def _canonical(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: PurePath(item).name
            if key in FILE_KEYS and isinstance(item, str) and "://" not in item
            else _canonical(earlier_type(key, item))
            for key, item in value.items()
            if key != "root"
        }
    if isinstance(value, (list, tuple)):
        return [_canonical(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
