"""The site: strict, whole, of what is registered, and at work without a network."""

from __future__ import annotations

import re
import subprocess
import sys
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; a link that leads nowhere ends the build."""
    pytest.importorskip("material", reason="no mkdocs-material: pip install 'auralsam2[docs]'")
    pytest.importorskip("mkdocstrings")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def pages() -> ModuleType:
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        import site_pages
    finally:
        sys.path.remove(str(ROOT / "docs"))
    return site_pages


class Resources(HTMLParser):
    """What a browser fetches by itself when it shows a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag in ("script", "img", "iframe", "source", "video", "audio", "embed"):
            self.found += [value for key in ("src", "srcset") if (value := told.get(key))]
        if tag == "link" and told.get("rel") not in ("canonical", "prev", "next"):
            self.found.append(told["href"] or "")


def test_bases_stand_behind_the_components_that_refer_to_their_arguments(
    pages: ModuleType,
) -> None:
    referred = 0
    for title, registry in pages._titles().items():
        headings = re.findall(r"^## (.+)$", pages._registry_page(title, registry), re.MULTILINE)
        stated = {name for heading in headings for name in heading.split(", ")}
        for name in registry.names():
            told = re.search(r"Arguments are those of [^.]+\.", registry.lookup(name).__doc__ or "")
            bases = set(re.findall(r":class:`(\w+)`", told[0])) if told else set()
            assert bases <= stated, (title, name)
            referred += len(bases)
    assert referred > 10


@pytest.mark.slow
def test_every_page_and_every_component_is_there(site: Path, pages: ModuleType) -> None:
    named = 0
    for source in (ROOT / "docs").glob("*.md"):
        assert (site / f"{source.stem}.html").is_file(), source.name
    for title, registry in pages._titles().items():
        text = (site / pages._file("components", title)).with_suffix(".html").read_text()
        shown = unescape(re.sub(r"<[^>]+>", "", text))
        for name, component in registry.describe()["components"].items():
            if component["class"].partition(".")[0] not in pages.OWN:
                continue  # of another test, or of a library
            assert re.search(rf"\b{re.escape(name)}\b", shown), f"{name} of {title}"
            assert component["class"] in shown
            named += 1
        assert ":func:" not in shown
    assert named > 120


@pytest.mark.slow
def test_a_component_has_its_arguments_defaults_and_docstring(site: Path) -> None:
    text = (site / "components" / "fusion.html").read_text()
    shown = " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())
    part = shown[shown.rindex("auralsam2.models.fusion.frame_wise.BilinearFusion") :]
    assert "num_factors 1 dropout 0.1" in part and "channels given" in part
    assert "low-rank bilinear pooling" in part and "rate on the joint space" in part


@pytest.mark.slow
def test_no_page_fetches_anything_from_elsewhere(site: Path) -> None:
    found = {
        path.relative_to(site).as_posix(): Resources(path.read_text(encoding="utf-8")).found
        for path in site.rglob("*.html")
    }
    assert len(found) > 60 and all(found.values())
    outside = {page: [r for r in told if re.match(r"(\w+:)?//", r)] for page, told in found.items()}
    assert {page: told for page, told in outside.items() if told} == {}
    for style in site.rglob("*.css"):
        assert not re.search(r"url\([\"']?(https?:)?//|@import", style.read_text("utf-8")), style


@pytest.mark.slow
def test_pages_fit_a_phone_and_search_works_from_a_file(site: Path, browser: Any) -> None:
    for width in (390, 1300):
        browser.look(width)
        for page in ("index.html", "methods.html", "components/fusion.html"):
            browser.open(site / page)
            inside, window = browser.run("[document.documentElement.scrollWidth, innerWidth]")
            assert inside <= window, (page, width)
            assert browser.said == [] and all(one.startswith("file:") for one in browser.loaded)
    field = "document.querySelector('[data-md-component=search-query]')"
    browser.run(f"{field}.focus()")
    browser.run(f"{field}.value = 'GatedSumFusion'")
    browser.run(f"{field}.dispatchEvent(new Event('keyup', {{bubbles: true}}))")
    browser.run(f"{field}.dispatchEvent(new Event('input', {{bubbles: true}}))")
    browser.wait("document.querySelectorAll('.md-search-result__item a').length")
    assert "extend.html" in browser.run("document.querySelector('.md-search-result__item a').href")


def test_links_of_files_elsewhere_lead_to_their_pages(pages: ModuleType) -> None:
    home, weights = pages._moved("README.md", "index.md"), "weights/auralsam2-mini.md"
    assert f"]({weights})" in home and "](grids.md)" in home and "](images/segment.png)" in home
    assert "](data.md#what-check-data-tells)" in home and "](docs/" not in home
    assert "](https://arxiv.org/abs/2506.01015)" in home and "](contributing.md)" in home
    found = {page: pages._moved(source, page) for source, page in pages.FROM_ROOT.items()}
    assert weights in found


def test_texts_and_defaults_are_no_markup(pages: ModuleType) -> None:
    assert pages._escaped("f(x_1) -> (B,*) <a> [b]|c") == r"f(x\_1) -\> (B,\*) \<a\> \[b\]\|c"
    assert pages._default({"need": "optional", "default": "'a|b'"}) == r"`'a\|b'`"
    assert pages._default({"need": "given", "default": None}) == "*given*"
    html = "see :func:<code>f</code>)::</p> a::b"
    assert pages.on_page_content(html) == "see <code>f</code>):</p> a::b"


def test_the_build_is_strict_about_all_that_it_can_check() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    config = yaml.safe_load(re.sub(r"!!python\S+", "", text))
    assert config["strict"] is True and config["theme"]["font"] is False
    levels = [level for part in config["validation"].values() for level in part.values()]
    assert levels and set(levels) == {"warn"}
