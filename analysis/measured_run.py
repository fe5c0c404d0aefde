"""What a measurement that is kept in a run's folder depends on, of the run itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analysis.run_captures import weights_digest
from auralsam2.config_identity import config_hash
from auralsam2.engine import run_record
from auralsam2.engine.run_folder import stored_config


def run_settings(run_dir: Path, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the numbers depend on; not where the data lie, so that they may move.

    Args:
        run_dir: of the run.
        overrides: of its config, with which it is measured.
    """
    stored = stored_config(run_dir)
    record = run_record.read_without_clips(run_dir)
    return {
        "weights": weights_digest(run_dir),
        "config": config_hash(stored)[:16] if stored is not None else None,
        "data": record.data_fingerprint[:16],
        "overrides": {k: repr(v) for k, v in sorted(overrides.items()) if not k.endswith("root")},
    }


def still_holds(
    held: Mapping[str, Any], settings: Mapping[str, Any], code: tuple[str, ...] = ()
) -> bool:
    """Return whether what was measured with some settings is what others ask for.

    Args:
        held: as they were written down; what older code did not write down is not known to differ.
        settings: as of now.
        code: keys that say which code measured. What was made before the weights went is all that
            is left of them, by whatever code.
    """
    free = set(settings) - set(held)
    if held.get("weights") and settings["weights"] is None:
        free |= {"weights", *code}
    return dict(held) | {key: settings[key] for key in free} == dict(settings)
