"""Experiment trackers beside a run's own log: one project a grid, one group a cell, offline.

Any visualisation backend of mmengine may stand in ``runtime.trackers``. Those here also know the
run: they name and group it, and send nothing unless they are told to. A run goes on without a
tracker that fails.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.visualization.vis_backend import (
    AimVisBackend,
    BaseVisBackend,
    ClearMLVisBackend,
    MLflowVisBackend,
    WandbVisBackend,
    force_init_env,
)

from auralsam2.engine.grid_manifest import RUNS
from auralsam2.engine.run_record import RunRecord
from auralsam2.registry import RUN_TRACKERS
from auralsam2.signature import parameters_of


class RunLabels(NamedTuple):
    """What a run is called among others."""

    grid: str
    cell: str
    seed: int
    axes: Mapping[str, str]  # axis -> value
    run_id: str
    shared: Path  # folder of the grid, for what trackers keep of all its runs in one place

    @property
    def run(self) -> str:
        """Name of the run among those of its grid."""
        return f"{self.cell}, seed {self.seed}"

    @property
    def tags(self) -> dict[str, str]:
        """Axes and seed, as texts."""
        return {**self.axes, "seed": str(self.seed)}


def run_labels(run_dir: Path, record: RunRecord) -> RunLabels:
    """Of a run in its folder, ``GRID/runs/RUN`` or one of its own, and its record."""
    shared = run_dir.absolute().parent
    if shared.name == RUNS:
        shared = shared.parent
    return RunLabels(shared.name, record.name, record.seed, record.axes, record.run_id, shared)


class KnowsItsRun:
    """A tracker by a library of its own, given the labels of its run and the folder of its log."""

    library: ClassVar[str]

    @classmethod
    def problems(cls, **_: object) -> list[str]:
        """What stands in the way of tracking, found without it."""
        if find_spec(cls.library) is not None:
            return []
        return [f"{cls.__name__} needs {cls.library}: pip install {cls.library}"]


@RUN_TRACKERS.register_module()
class WandbTracker(KnowsItsRun, WandbVisBackend):  # type: ignore[misc]
    """Weights & Biases. Offline, ``wandb sync`` of the run's ``wandb`` folder sends it later.

    Args:
        online: send while training; wants an account.
        init: further arguments of ``wandb.init``, such as ``entity``.
    """

    library = "wandb"

    def __init__(
        self,
        save_dir: str,
        labels: RunLabels,
        online: bool = False,
        init: Mapping[str, Any] | None = None,
    ) -> None:
        named = {"project": labels.grid, "group": labels.cell, "name": labels.run}
        mode = "online" if online else "offline"
        kept = {"tags": list(labels.tags.values()), "mode": mode}
        same = {"id": labels.run_id, "resume": "allow", "reinit": "finish_previous"}
        super().__init__(save_dir, init_kwargs={**named, **kept, **same, **(init or {})})

    def add_config(self, config: Config, **_: Any) -> None:
        """Show the config; mmengine would also copy all code of the working folder."""
        self.experiment.config.update(config.to_dict(), allow_val_change=True)

    def close(self) -> None:
        """End the run, so that the next one of this process is another."""
        if hasattr(self, "_wandb"):
            self._wandb.finish()


@RUN_TRACKERS.register_module()
class MLflowTracker(KnowsItsRun, MLflowVisBackend):  # type: ignore[misc]
    """MLflow. Without a server all runs of a grid lie in ``mlflow.db`` in its folder.

    Args:
        tracking_uri: of a server; ``None`` is the file.
    """

    library = "mlflow"

    def __init__(self, save_dir: str, labels: RunLabels, tracking_uri: str | None = None) -> None:
        super().__init__(
            save_dir,
            exp_name=labels.grid,
            run_name=labels.run,
            tags={**labels.tags, "cell": labels.cell},
            tracking_uri=tracking_uri or f"sqlite:///{labels.shared.absolute() / 'mlflow.db'}",
            artifact_location=None if tracking_uri else (labels.shared / "mlflow").as_uri(),
            artifact_suffix=(),  # the run's folder holds its files
        )
        self._lock = labels.shared / ".mlflow.lock"

    def _init_env(self) -> None:
        # Several runs that begin together would each lay out the same new database.
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        with self._lock.open("ab") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
            super()._init_env()

    def close(self) -> None:
        """End the run, so that the next one of this process is another."""
        if hasattr(self, "_mlflow"):
            self._mlflow.end_run()


@RUN_TRACKERS.register_module()
class AimTracker(KnowsItsRun, AimVisBackend):  # type: ignore[misc]
    """Aim, whose repository of all runs of a grid lies in its folder: ``aim up --repo FOLDER``.

    Args:
        repo: another folder or server.
    """

    library = "aim"

    def __init__(self, save_dir: str, labels: RunLabels, repo: str | None = None) -> None:
        where = {"repo": repo or str(labels.shared), "experiment": labels.grid}
        super().__init__(save_dir, init_kwargs={**where, "system_tracking_interval": None})
        self._labels = labels

    def add_config(self, config: Config, **_: Any) -> None:
        """Show the config, and what the run is called."""
        super().add_config(config)
        self._aim_run.name = self._labels.run
        self._aim_run["run"] = {"name": self._labels.run, "cell": self._labels.cell}
        for tag in self._labels.tags.values():
            self._aim_run.add_tag(tag)


@RUN_TRACKERS.register_module()
class ClearMLTracker(KnowsItsRun, ClearMLVisBackend):  # type: ignore[misc]
    """ClearML. Offline, a session's archive lies in ClearML's cache folder and is imported later.

    Args:
        online: send while training; wants a server.
    """

    library = "clearml"

    def __init__(self, save_dir: str, labels: RunLabels, online: bool = False) -> None:
        named = {"project_name": labels.grid, "task_name": labels.run, "reuse_last_task_id": False}
        kept = {"tags": list(labels.tags.values()), "auto_connect_frameworks": False}
        super().__init__(save_dir, {**named, **kept}, artifact_suffix=())
        self._online = online

    def _init_env(self) -> None:
        from clearml import Task

        Task.set_offline(not self._online)
        Task.set_random_seed(None)  # it would seed torch with a number of its own
        super()._init_env()


@RUN_TRACKERS.register_module()
class SwanLabTracker(KnowsItsRun, BaseVisBackend):  # type: ignore[misc]
    """SwanLab. Offline, ``swanlab sync`` of the run's ``swanlog`` folder sends it later.

    Args:
        online: send while training; wants an account.
    """

    library = "swanlab"

    def __init__(self, save_dir: str, labels: RunLabels, online: bool = False) -> None:
        super().__init__(save_dir)
        self._settings = {
            "project": labels.grid,
            "experiment_name": labels.run,
            "group": labels.cell,
            "tags": list(labels.tags.values()),
            "mode": "cloud" if online else "offline",
        }

    def _init_env(self) -> None:
        import swanlab

        Path(self._save_dir).mkdir(parents=True, exist_ok=True)
        self._run = swanlab.init(log_dir=self._save_dir, **self._settings)

    @property
    @force_init_env
    def experiment(self) -> Any:
        """The run that is open."""
        return self._run

    def add_config(self, config: Config, **_: Any) -> None:
        """Show the config."""
        self.experiment.config.update(config.to_dict())

    def add_scalars(self, scalar_dict: dict[str, Any], step: int = 0, *_: Any) -> None:
        """Show numbers of a step or an epoch."""
        numbers = {key: float(value) for key, value in scalar_dict.items()}
        self.experiment.log(numbers, step=step)

    def add_scalar(self, name: str, value: Any, step: int = 0, **_: Any) -> None:
        """Show one number."""
        self.add_scalars({name: value}, step)

    def close(self) -> None:
        """End the run, so that the next one of this process is another."""
        if self._env_initialized:
            self._run.finish()
            self._env_initialized = False  # asked again, as mmengine does, there is nothing to end


class Expendable:
    """A tracker without which its run goes on: where it fails, a warning says so, once."""

    def __init__(self, save_dir: str, node: dict[str, Any]) -> None:
        self.tracker = RUN_TRACKERS.build(node, save_dir=save_dir)
        self.failed = False

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.tracker, name)
        return partial(self._call, found) if name == "close" or name.startswith("add_") else found

    def _call(self, method: Callable[..., object], *given: Any, **named: Any) -> None:
        if self.failed and method.__name__ != "close":
            return
        try:
            method(*given, **named)
        except Exception as error:  # a network, a full disk, a server that is updated ...
            if not self.failed:
                tracker, why = type(self.tracker).__name__, f"{type(error).__name__}: {error}"
                logger = MMLogger.get_current_instance()
                logger.warning(f"the run goes on without {tracker}, which has failed: {why}")
            self.failed = True


def backends(cfg: Config, labels: RunLabels | None) -> list[dict[str, Any]]:
    """Nodes of all that a run's numbers are written to, with what each is given."""
    own = ["LocalVisBackend", *["TensorboardVisBackend"] * bool(cfg.runtime.tensorboard)]
    found: list[dict[str, Any]] = [dict(type=name) for name in own]
    for index, node in enumerate(cfg.runtime.get("trackers", ())):
        takes_labels = "labels" in parameters_of(RUN_TRACKERS.lookup(node["type"])).known
        given = {**node.to_dict(), **({"labels": labels} if takes_labels else {})}
        found.append(dict(type=Expendable, name=f"trackers.{index}", node=given))
    return found


def tracker_problems(cfg: Config) -> Iterator[str]:
    """What the trackers of a config say is missing."""
    for index, node in enumerate(cfg.runtime.get("trackers", ())):
        for text in getattr(RUN_TRACKERS.lookup(node["type"]), "problems", list)():
            yield f"runtime.trackers.{index}: {text}"
