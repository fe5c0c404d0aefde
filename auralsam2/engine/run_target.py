"""What a command evaluates: a run folder, or a config with weights from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from auralsam2.engine.run_record import WEIGHTS


class RunTarget(NamedTuple):
    """A model to evaluate.

    Attributes:
        config: name or path of its config.
        checkpoint: trained weights; ``None`` takes the model as it is built.
    """

    config: str
    checkpoint: Path | None


def find_target(run_or_config: str, checkpoint: Path | None) -> RunTarget:
    """Tell a run folder from a config.

    Args:
        run_or_config: folder with ``config.py``, or a config's name or path.
        checkpoint: weights to take in place of the run's own.

    Raises:
        FileNotFoundError: where a folder has no ``config.py``, or there is no such checkpoint.
    """
    if checkpoint is not None and not checkpoint.is_file():
        raise FileNotFoundError(f"no checkpoint at '{checkpoint}'")
    folder = Path(run_or_config)
    if not folder.is_dir():
        return RunTarget(run_or_config, checkpoint)
    if not (folder / "config.py").is_file():
        raise FileNotFoundError(f"'{folder}' is no run folder: it has no config.py")
    own = folder / WEIGHTS
    return RunTarget(str(folder / "config.py"), checkpoint or (own if own.is_file() else None))
