"""Pages of the site that are no file of docs/: mkdocs.yml names this as its hook.

README.md and its like as they lie in the repository, the help of every command, every registry
with its components, and the parts of Python that others build on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath
from typing import TYPE_CHECKING, Any

from auralsam2_tools.__main__ import find_tools, main
from auralsam2_tools.list_components import all_registries

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

ROOT = Path(__file__).parents[1]
FROM_ROOT = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "CITATION.cff": "CITATION.cff",
    **{
        f"auralsam2/models/weights/{path.name}": f"weights/{path.name}"
        for path in sorted((ROOT / "auralsam2" / "models" / "weights").glob("*.md"))
    },
}
"""File of the repository -> its page."""
OBJECTS = {
    "Predictors": [
        "auralsam2.predictor.AuralSAM2VideoPredictor",
        "auralsam2.predictor.AuralSAM2ImagePredictor",
    ],
    "Registration": ["auralsam2.builder.Registry"],
    "Structures": ["auralsam2.structures"],
}
"""Page on parts of Python -> what is on it."""
OWN = ("auralsam2", "ablations", "analysis")
DOCSTRING = """    options:
      members: false
      inherited_members: false
      show_root_heading: false
      show_root_toc_entry: false"""
LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)#\s]+)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Give the generated pages their places in the navigation."""
    weights = [page for page in FROM_ROOT.values() if "/" in page]
    python = [{title: _file("python", title)} for title in OBJECTS]
    components = [{title: _file("components", title)} for title in _titles()]
    config.nav = [*config.nav, {"Components": components}, {"Python": python}, {"Weights": weights}]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    from mkdocs.structure.files import File

    for page, text in pages().items():
        files.append(File.generated(config, page, content=text))
    return files


def on_page_content(html: str, **_: Any) -> str:
    """Leave out what docstrings have of another markup: roles, and the second colon of literals."""
    return re.sub(r"::(?=</p>)", ":", re.sub(r":\w+:(?=<code>)", "", html))


def pages() -> dict[str, str]:
    """Every generated page, in Markdown."""
    own = {page: _moved(source, page) for source, page in FROM_ROOT.items()}
    python = {
        _file("python", title): f"# {title}\n\n" + "\n\n".join(f"::: {name}" for name in names)
        for title, names in OBJECTS.items()
    }
    components = {
        _file("components", title): _registry_page(title, registry)
        for title, registry in _titles().items()
    }
    return {**own, "commands.md": _commands_page(), **components, **python}


def _titles() -> dict[str, Any]:
    found = all_registries().items()
    return {key.replace("_", " ").capitalize(): registry for key, registry in found}


def _file(folder: str, title: str) -> str:
    return f"{folder}/{title.lower().replace(' ', '_')}.md"


def _moved(source: str, page: str) -> str:
    """The text of a file of the repository, whose links lead to pages of the site."""

    def to_page(link: re.Match[str]) -> str:
        target = normpath(str(PurePosixPath(source).parent / link[1]))
        target = FROM_ROOT.get(target, target.removeprefix("docs/"))
        return relpath(target, PurePosixPath(page).parent)

    return LINK.sub(to_page, (ROOT / source).read_text(encoding="utf-8"))


def _commands_page() -> str:
    """What ``--help`` says of each command."""
    parts = ["# Commands", "`auralsam2 COMMAND`, or `python tools/COMMAND.py` in a checkout."]
    for name in find_tools():
        said = StringIO()
        try:
            with redirect_stdout(said):
                main([name, "--help"])
        except SystemExit:
            parts.append(f"## {name}\n\n```text\n{said.getvalue().strip()}\n```")
    return "\n\n".join(parts) + "\n"


def _registry_page(title: str, registry: Any) -> str:
    """A registry's contract, its components, those of several names once, and what they share."""
    described = registry.describe()
    by_class: dict[str, list[str]] = {}
    for name, component in described["components"].items():
        by_class.setdefault(component["class"], []).append(name)
    parts = [f"# {title}", _escaped(described["contract"])]
    for path, names in by_class.items():
        parts += [f"## {', '.join(names)}", f"`{path}`"]
        parts += _component(path, described["components"][names[0]])
    for base in _shared([registry.lookup(names[0]) for names in by_class.values()]):
        parts += [f"## {base.__name__}", f"::: {base.__module__}.{base.__name__}\n{DOCSTRING}"]
    return "\n\n".join(parts) + "\n"


def _shared(components: Iterable[Any]) -> Iterable[type]:
    """Bases of components that document arguments: their own docstrings refer to those."""
    listed = list(components)
    bases = dict.fromkeys(base for one in listed for base in getattr(one, "__mro__", ()))
    for base in bases:
        own = base.__module__.partition(".")[0] in OWN and base not in listed
        if own and "\n    Args:\n" in (base.__doc__ or ""):
            yield base


def _component(path: str, component: Mapping[str, Any]) -> Iterable[str]:
    """Its arguments as `describe` tells them, and its docstring."""
    if component["arguments"]:
        rows = [f"| `{each['name']}` | {_default(each)} |" for each in component["arguments"]]
        yield "\n".join(["| argument | default |", "|---|---|", *rows])
    if path.partition(".")[0] in OWN:
        yield f"::: {path}\n{DOCSTRING}"
    else:
        yield _escaped(component["summary"])


def _default(argument: Mapping[str, Any]) -> str:
    if argument["need"] != "optional":
        return f"*{argument['need']}*"
    return f"`{argument['default']}`".replace("|", "\\|")


def _escaped(text: str) -> str:
    return re.sub(r"([<>*_\[\]|])", r"\\\1", text)
