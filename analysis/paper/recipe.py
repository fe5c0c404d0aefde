"""Recipes on disk: one config file that says which tables and figures a paper has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.paper.part import PARTS, Part
from auralsam2 import config
from auralsam2.builder import ComponentArgumentError, UnknownComponentError
from auralsam2.custom_imports import CUSTOM_KEY, import_custom, locate_files
from auralsam2.messages import unknown_name

FOLDER = "figures"
DEFAULT = "paper"
_KEYS = ("parts", "title", CUSTOM_KEY)


@dataclass(frozen=True)
class Recipe:
    """What a paper is made of.

    Attributes:
        name: of the file, without ``.py``.
        title: for people.
        parts: node -> part, in the order in which they are made.
        path: of the file.
    """

    name: str
    title: str
    parts: tuple[tuple[dict[str, Any], Part], ...]
    path: Path


def load_recipe(name_or_path: str = DEFAULT) -> Recipe:
    """Read a recipe.

    A recipe is an mmengine config with ``parts``, a list of nodes ``dict(type="GridPoints",
    sources="*", ...)``; ``title``; and ``custom_imports`` for parts of one's own.

    Args:
        name_or_path: a shipped recipe, e.g. ``paper``, or the path of a ``.py`` file.

    Raises:
        FileNotFoundError: if there is no such recipe; the message lists the known ones.
        ConfigError: with all problems at once.
    """
    path = config.find(name_or_path, folder=FOLDER)
    cfg = config.peek(str(path))
    locate_files(cfg, path.parent)
    problems = import_custom(cfg, path.parent)
    problems += [unknown_name("key", key, _KEYS) for key in cfg if key not in _KEYS]
    nodes = cfg.get("parts")
    if not isinstance(nodes, (list, tuple)) or not nodes:
        problems.append("parts: wanted a list of nodes, e.g. [dict(type='ScoreTable')]")
        nodes = []
    parts = []
    for index, node in enumerate(nodes):
        plain = _plain(node)
        try:
            parts.append((plain, PARTS.build(plain)))
        except (UnknownComponentError, ComponentArgumentError, ValueError, TypeError) as error:
            problems.append(f"parts.{index}: {error}")
    if problems:
        raise config.ConfigError(problems, source=f"recipe '{path}'")
    return Recipe(path.stem, str(cfg.get("title", path.stem)), tuple(parts), path)


def _plain(node: Any) -> Any:
    """Return a node of plain dicts and lists."""
    if isinstance(node, Mapping):
        return {str(key): _plain(value) for key, value in node.items()}
    return [_plain(value) for value in node] if isinstance(node, (list, tuple)) else node
