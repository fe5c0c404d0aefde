"""Run folders that exist already, and which of them a planned run is.

Earlier code gave runs other names: ``runtime`` and ``custom_imports`` did not count, hooks
included, nor the content of files other than weights, while the number of loader processes did.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

from auralsam2 import config_identity
from auralsam2.engine import run_folder, run_record
from auralsam2.engine.identity import CODE, WORK, Identity, digest, file_digests
from auralsam2.engine.provenance import code_version
from auralsam2.engine.run_record import RunRecord
from auralsam2.listing import folders_in
from auralsam2.moved_arguments import earlier_type
from auralsam2.weight_files import FILE_KEYS

_UNCOUNTED = ("runtime", "custom_imports")  # by earlier code
# Runs from before code was part of the identity have no second part.
_FOLDER = re.compile(rf"-s\d+-([0-9a-f]{{{WORK}}})(?:-([0-9a-f]{{{CODE}}}))?$")
_SAID = {
    "kept": "are taken as they are (--keep-code)",
    "done": "are finished: they stay in their folders and are run anew here; "
    "--keep-code takes them as they are",
    "running": "are unfinished: they begin anew here; --keep-code goes on with them",
    "strangers": "have the name that this cell had before every setting counted, and were trained "
    "with other settings: they are not this cell's, which is run anew here",
}


class ExistingRuns:
    """Run folders below a root, by identity; those of other code count where it is kept."""

    def __init__(self, root: Path, keep_code: bool = False) -> None:
        self.root, self.keep_code = root, keep_code
        self._by_work: dict[str, dict[str, Path]] = {}
        # What is done with runs of other code -> (folder, version of that code).
        self._others: dict[str, set[tuple[Path, str]]] = {how: set() for how in _SAID}
        for path in folders_in(root):
            if match := _FOLDER.search(path.name):
                self._by_work.setdefault(match[1], {}).setdefault(match[2] or "", path)

    def find(
        self, identity: Identity, plain: Mapping[str, Any], *, slug: str, data: str
    ) -> tuple[Identity, Path]:
        """Return identity and folder of a run, which may be another code's.

        Args:
            identity: of the run, from its ``plain`` config and the fingerprint of its ``data``.
            plain: its resolved config.
            slug: begins the name of a new folder.
            data: fingerprint of its data.
        """
        made = self._by_work.get(identity.work, {})
        own = _record(made[identity.code]) if identity.code in made else None
        if own is None or own.status != "done":
            others = {Identity(identity.work, code): made[code] for code in made}
            others.pop(identity, None)
            others |= self._made_under_earlier_rules(plain, data, identity)
            records = {who: record for who, path in others.items() if (record := _record(path))}
            for status in ("done", "running"):
                for who, record in records.items():
                    if record.status != status:
                        continue
                    taken = self.keep_code and (status == "done" or own is None)
                    how = "kept" if taken else status
                    self._others[how].add((others[who], record.code_version))
                    if taken:
                        return who, others[who]
        return identity, made.get(identity.code, self.root / f"{slug}-{identity}")

    def notes(self) -> list[str]:
        """Say what happens to runs made by other code, of all runs that were looked for."""
        return [
            f"{len(runs)} runs made by other code ({_versions(runs)}; now {code_version()}) {what}"
            for how, what in _SAID.items()
            if (runs := self._others[how]) and not (self.keep_code and how == "running")
        ]

    def _made_under_earlier_rules(
        self, plain: Mapping[str, Any], data: str, identity: Identity
    ) -> dict[Identity, Path]:
        """Folders with the name that earlier code gave this run, where they are this run's.

        Several cells may have had that name; the config in the folder tells whose run it was.
        """
        if (work := earlier_work(plain, data)) == identity.work:
            return {}
        found = {Identity(work, code): path for code, path in self._by_work.get(work, {}).items()}
        for who, path in list(found.items()):
            stored = run_folder.stored_config(path)
            if stored is None or config_identity.differences(stored, plain):
                del found[who]
                record = _record(path)
                self._others["strangers"].add((path, record.code_version if record else ""))
        return found


def _record(run_dir: Path) -> RunRecord | None:
    try:
        return run_record.read_without_clips(run_dir)
    except (OSError, ValueError):  # none, or none that can be read
        return None


def _versions(runs: set[tuple[Path, str]]) -> str:
    return ", ".join(sorted({version or "unknown" for _, version in runs}))


def earlier_work(plain: Mapping[str, Any], data: str) -> str:
    """Return the hash of config, seed, data and weights by the rule of then."""
    contents = [
        content
        for key, content in file_digests(plain).items()
        if key.rpartition(".")[2] in FILE_KEYS
    ]
    return digest(earlier_config_hash(plain), data, *contents)[:WORK]


def earlier_config_hash(plain: Mapping[str, Any]) -> str:
    """Return the hash of a config by the rule of then."""
    stated = config_identity.plain(plain)
    counted = _canonical({key: stated[key] for key in stated if key not in _UNCOUNTED})
    return digest(json.dumps(counted, sort_keys=True, separators=(",", ":"), allow_nan=False))


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
