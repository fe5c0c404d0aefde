from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

from analysis.report import ReportOptions, write_report
from analysis.report.write import page_names
from analysis.runs.results import load_runs


class Elements(HTMLParser):
    """Every element with its attributes, and the text outside script and style."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text, self._open = "", ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attributes)))
        self._open = tag

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        self.text += data if self._open not in ("script", "style") else ""

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def test_one_index_and_a_page_for_every_cell_that_link_to_each_other(pages: list[Path]) -> None:
    index, first, second = pages
    assert index.name == "index.html" and first.parent == index.parent / "cells"
    for page in pages:
        for link in Elements(page).of("a"):
            href = str(link["href"])
            if not href.startswith(("#", "data:")):
                assert (page.parent / href).resolve() in pages
    assert {a["href"] for a in Elements(index).of("a")} >= {f"cells/{p.name}" for p in pages[1:]}
    assert "../index.html" in {a["href"] for a in Elements(second).of("a")}


def test_names_are_escaped_everywhere(pages: list[Path]) -> None:
    for page in pages:
        elements = Elements(page)
        assert '<script>alert("x")</script>' in elements.text
        assert 'Sound & "sight" <b>bold</b>' in elements.text
        assert len(elements.of("script")) == 1 and "alert" not in str(elements.of("script"))
        assert not [text for text in elements.of("b") + elements.of("i") if text]
    assert "<i>beware</i>" in Elements(pages[0]).text


def test_nothing_is_loaded_from_elsewhere_and_no_path_of_the_machine_is_told(
    pages: list[Path],
) -> None:
    for page in pages:
        elements = Elements(page)
        for tag, attributes in elements.found:
            for name in ("src", "srcset", "href", "xlink:href", "data", "action", "poster"):
                value = attributes.get(name) or ""
                if tag != "a":
                    assert value.startswith(("data:", "#")) or not value, (tag, name, value[:80])
        (policy,) = [m for m in elements.of("meta") if m.get("http-equiv")]
        assert str(policy["content"]).startswith("default-src 'none'")
        assert "url(http" not in page.read_text() and "@import" not in page.read_text()
        assert "private" not in page.read_text()


def test_ids_are_unique_and_labels_lead_somewhere(pages: list[Path]) -> None:
    for page in pages:
        elements = Elements(page)
        ids = [a["id"] for _, a in elements.found if "id" in a]
        assert len(ids) == len({*ids})
        for _, attributes in elements.found:
            for name in ("aria-labelledby", "for"):
                assert attributes.get(name) is None or attributes[name] in ids
            if str(attributes.get("href")).startswith("#"):
                assert str(attributes["href"])[1:] in ids
        assert all(image.get("alt") for image in elements.of("img"))
        assert all(sound.get("aria-label") for sound in elements.of("audio"))


def test_the_index_says_what_came_out(pages: list[Path]) -> None:
    text = Elements(pages[0]).text
    assert "how does J on test depend on prompts (none, <script>" in text
    assert '<script>alert("x")</script>: J 0.' in text and "Compared with it" in text
    assert "4 finished, 2 cells, seeds 0, 1; 6 clips of test" in text
    assert "4 runs (none, seed 0, ...): <i>beware</i>" in text
    files = {a.get("download") for a in Elements(pages[0]).of("a")} - {None}
    assert files >= {"table.csv", "table.tex", "table.md", "table.provenance.json"}
    assert "grid_points.csv" in files


def test_a_cell_s_page_says_how_it_differs_and_trained(pages: list[Path]) -> None:
    text = Elements(pages[1]).text
    for part in ("model.dense_prompt", "type='D', width=3", "J on validation clips", "Worst clips"):
        assert part in text
    assert "model.backbone.checkpoint" in text, "the whole config"
    assert "The other cells' configs are compared with this one's." in Elements(pages[2]).text


def test_an_earlier_report_s_pages_go_and_other_files_stay(
    grid: Path, tmp_path: Path, planted_masks: list, no_figures: None
) -> None:
    out = tmp_path / "out"
    (out / "cells").mkdir(parents=True)
    for name in ("07-old.html", "mine.html"):
        (out / "cells" / name).write_text("")
    write_report(load_runs(grid), grid, out, ReportOptions(num_clips=0))
    held = {path.name for path in (out / "cells").iterdir()}
    assert held == {"01-none.html", "02-script-alert-x-script.html", "mine.html"}
    assert planted_masks == [], "no clips were asked for"
    assert "Worst and best" not in (out / "cells" / "01-none.html").read_text()


def test_a_single_cell_without_axes_or_config(exact, tmp_path: Path, no_figures: None) -> None:
    folder = exact({("b", 0): 0.5}, reference=None)
    index, cell = write_report(load_runs(folder), folder, tmp_path / "out", ReportOptions())
    assert "what is J on test?" in Elements(index).text
    assert "no worst and best clips of b: 'runs/0' is no run folder" in Elements(index).text
    text = Elements(cell).text
    assert "has no config.py" in text and "cannot be shown: " in text


def test_page_names_tell_cells_apart_that_letters_do_not() -> None:
    names = page_names(["a+b", "a b", "ü", "x" * 90])
    assert list(names.values()) == ["01-a-b.html", "02-a-b.html", "03-.html", f"04-{'x' * 40}.html"]


def test_notes_of_missing_runs_are_told(write_grid, tmp_path: Path, no_figures: None) -> None:
    folder = write_grid(tmp_path / "g", cells={"a": 0.2, "b": 0.3}, reference="b")
    content = json.loads((folder / "grid.json").read_text())
    content["cells"][0]["runs"].append({"seed": 9, "run_id": "", "folder": "runs/none"})
    (folder / "grid.json").write_text(json.dumps(content))
    options = ReportOptions(num_clips=0)
    index = write_report(load_runs(folder), folder, tmp_path / "out", options)[0]
    assert "a, seed 9: not started" in Elements(index).text
