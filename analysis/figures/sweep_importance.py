"""Which parameters of a sweep mattered: shares of the variance between its trials (fANOVA)."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.axes import Axes

from analysis.figures import style
from analysis.runs.cell_names import short_names
from analysis.runs.sweep_results import SweepResults

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

NAME = "sweep_importance"
FEWEST = 4
_SEED = 0


def collect(results: SweepResults) -> pd.DataFrame | None:
    """Let Optuna fit its random forest to the complete trials.

    Returns:
        Columns objective, parameter, importance, num_trials; the importances of an objective sum
        to 1. A parameter that does not always apply has none. None with fewer than `FEWEST`
        complete trials, or where all of them scored alike.
    """
    complete = results.complete()
    if len(complete) < FEWEST:
        return None
    parts = []
    for objective in results.directions:
        if complete[objective].nunique() < 2:
            continue
        shares = _importances(results, complete, objective)
        names = sorted(results.parameters, key=lambda name: -shares.get(name, -1.0))
        columns = {
            "objective": objective,
            "parameter": names,
            "importance": [shares.get(name) for name in names],
            "num_trials": [int(complete[name].notna().sum()) for name in names],
        }
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True) if parts else None


def _importances(results: SweepResults, complete: pd.DataFrame, objective: str) -> dict[str, float]:
    """Name of each parameter that every trial has -> its share."""
    import optuna
    from optuna.distributions import IntDistribution

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    names = [
        n for n in results.parameters if complete[n].notna().all() and complete[n].nunique() > 1
    ]
    if not names:
        return {}
    study = optuna.create_study()  # the direction does not matter to the variance
    distributions = {name: _distribution(results.parameters[name]) for name in names}
    for row in complete.to_dict("records"):
        params = {
            name: int(row[name]) if isinstance(distribution, IntDistribution) else row[name]
            for name, distribution in distributions.items()
        }
        study.add_trial(
            optuna.create_trial(params=params, distributions=distributions, value=row[objective])
        )
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=_SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        found = optuna.importance.get_param_importances(study, evaluator=evaluator, params=names)
    return {name: float(share) for name, share in found.items()}


def _distribution(stated: Mapping[str, Any]) -> BaseDistribution:
    """Return what a parameter was drawn from; choices are texts in the table."""
    from optuna.distributions import json_to_distribution

    if "choices" in stated:
        stated = {**stated, "choices": [str(choice) for choice in stated["choices"]]}
    return json_to_distribution(json.dumps(stated))


def draw(shares: pd.DataFrame, panels: Sequence[Axes]) -> None:
    """Draw a bar for every parameter, an objective in each panel."""
    names = short_names(dict.fromkeys(shares["parameter"]))
    by_objective = shares.groupby("objective", sort=False)
    for (objective, rows), panel in zip(by_objective, panels, strict=True):
        positions = range(len(rows))
        panel.barh(positions, rows["importance"].fillna(0.0), height=0.62, color=style.BLUE)
        for position, (share, count) in enumerate(
            zip(rows["importance"], rows["num_trials"], strict=True)
        ):
            text = f" applies to {count} trials only" if pd.isna(share) else f" {share:.2f}"
            panel.text(share if pd.notna(share) else 0.0, position, text, va="center", fontsize=6.5)
        panel.set_yticks(positions, [names[name] for name in rows["parameter"]])
        panel.invert_yaxis()
        panel.set_xlim(0, max(0.05, float(rows["importance"].max())) * 1.18)
        panel.tick_params(axis="y", length=0)
        panel.set_xlabel(f"share of the variance of {objective}")


def make(results: SweepResults, folder: Path) -> list[Path]:
    """Write ``sweep_importance.*``; nothing where `collect` has none."""
    shares = collect(results)
    if shares is None:
        return []
    count = shares["objective"].nunique()
    height = count * (0.2 * len(results.parameters) + 0.55)
    with style.paper_panels("column", height, count) as (figure, panels):
        draw(shares, list(panels[:, 0]))
        return style.save(figure, shares, folder, NAME)
