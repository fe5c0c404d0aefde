"""Templates to pages that hold all they need, and may load nothing else."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from auralsam2.text_files import encode

_MEDIA_TYPES = {
    "csv": "text/csv",
    "json": "application/json",
    "md": "text/markdown",
    "tex": "application/x-tex",
}


def render(template: str, **content: Any) -> str:
    """Return a page from a file in ``analysis/templates`` and the names that it uses.

    Every text is escaped; a page's policy lets it run its own script alone and load nothing.
    """
    environment = _environment()
    script = environment.get_template("report.js.j2").render()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    own = {
        "script": script,
        "script_hash": f"sha256-{digest}",
        "style": environment.get_template("report.css.j2").render(),
    }
    return environment.get_template(template).render(**own, **content)


def downloads(texts: Mapping[str, str]) -> dict[str, str]:
    """Return name -> address of files of text."""
    return {
        name: data_uri(encode(text), f"{_MEDIA_TYPES[name.rpartition('.')[2]]};charset=utf-8")
        for name, text in texts.items()
    }


def data_uri(content: bytes, media_type: str) -> str:
    """Return a file's content as an address."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("analysis", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
