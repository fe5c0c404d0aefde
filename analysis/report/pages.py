"""Templates to pages that hold all they need, and may load nothing else."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from auralsam2.text_files import write_text

_SCRIPT, _STYLE = "report.js.j2", "report.css.j2"


def render(template: str, **content: Any) -> str:
    """Return a page.

    Every text is escaped; a page's policy lets it run its own script alone and load nothing.

    Args:
        template: name of a file in ``analysis/templates``.
        content: names that the template uses.
    """
    environment = _environment()
    script = environment.get_template(_SCRIPT).render()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    style = environment.get_template(_STYLE).render()
    page = environment.get_template(template)
    return page.render(script=script, script_hash=f"sha256-{digest}", style=style, **content)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("analysis", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def write(path: Path, page: str) -> Path:
    """Write a page and return its path."""
    return write_text(path, page)
