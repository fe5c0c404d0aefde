"""Tables as spreadsheet programs and hands leave them: read right, or named."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from auralsam2 import messages
from auralsam2.data.checking.check import check_data
from auralsam2.data.datasets.avsbench import AVSBenchDataset
from auralsam2.data.datasets.avsbench_index import ObjectIndex, SemanticIndex
from auralsam2.data.datasets.metadata import read_metadata
from auralsam2.data.datasets.ref_index import RefIndex
from auralsam2.data.problems import DataError

INDEX = Path("avss_index") / "metadata.csv"
KNOWN = {"split": ("train", "test")}


def crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


RIGHT: dict[str, Callable[[str], bytes]] = {
    "byte order mark": lambda text: text.encode("utf-8-sig"),
    "line ends of Windows": crlf,
    "semicolons": lambda text: text.replace(",", ";").encode(),
    "tabs and mark": lambda text: text.replace(",", "\t").encode("utf-8-sig"),
    "trailing blanks": lambda text: text.replace("\n", " \n").replace(",", " ,").encode(),
    "leading blanks": lambda text: text.replace(",", ", ").encode(),
    "case": lambda text: text.replace("test", "Test").replace("train", "TRAIN").encode(),
    "quotes": lambda text: "\n".join(
        ",".join(f'"{cell}"' for cell in line.split(",")) for line in text.splitlines()
    ).encode(),
    "commas behind": lambda text: text.replace("\n", ",,\n").encode(),
    "empty lines": lambda text: text.replace("\n", "\n\n").encode() + b",,,\n",
}
NAMED: dict[str, tuple[Callable[[str], bytes], str]] = {
    "short row": (lambda text: text.encode() + b"one,two\n", "line 11 has 2 cells"),
    "long row": (lambda text: text.encode() + b"a,b,0,0,dog,test,v1m,more\n", "has 8 cells"),
    "no name": (lambda text: text.encode() + b"a,,0,0,dog,test,v1m\n", "line 11 has no uid"),
    "Latin": (lambda text: text.encode() + "é".encode("latin-1"), "save it as UTF-8"),
    "empty": (lambda _: b"", "an empty file"),
    "blank": (lambda _: b"\n\n", "an empty table"),
    "pointer": (lambda _: b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    "page": (lambda _: b"<!DOCTYPE html><html></html>", "an HTML page"),
    "columns": (lambda text: text.replace("split", "part").encode(), "lacks columns ['split']"),
    "open quote": (lambda text: text.encode() + b'"a,b,0\n', "line 11"),
}


@pytest.mark.parametrize("kind", RIGHT)
def test_reader_and_check_read_it_right(own_root: Path, kind: str) -> None:
    path = own_root / INDEX
    plain = check_data("v1m", own_root)
    path.write_bytes(RIGHT[kind](path.read_text()))
    for split, number in (("train", 3), ("val", 2), ("test", 4)):
        assert len(AVSBenchDataset(str(own_root), "v1m", split, image_size=16)) == number
    report = check_data("v1m", own_root)
    assert report.counts == plain.counts and report.fingerprints == plain.fingerprints
    untidy = {"trailing blanks", "leading blanks", "case"}
    assert ("untidy_cell" in report.groups) == (kind in untidy)
    assert report.groups.keys() - {"untidy_cell"} == plain.groups.keys()


@pytest.mark.parametrize("kind", NAMED)
def test_reader_and_check_name_it(own_root: Path, kind: str) -> None:
    path = own_root / INDEX
    damage, words = NAMED[kind]
    path.write_bytes(damage(path.read_text()))
    with pytest.raises(DataError) as caught:
        AVSBenchDataset(str(own_root), "v1m", "test", image_size=16)
    assert words in str(caught.value) and str(path) in str(caught.value)
    (finding,) = check_data("v1m", own_root).groups["unusable_index"]
    assert words in finding.detail


def test_every_layout_reads_blanks_and_marks(ref_root: Path, tmp_path: Path) -> None:
    path = ref_root / "metadata.csv"
    path.write_bytes(path.read_text().replace(",train,", ", Train ,").encode("utf-8-sig"))
    index = RefIndex(ref_root)
    expressions = index.expressions("train")
    assert len(index.read("train")) == len(expressions)
    assert [e.text for e in expressions][0] == "The dog, heard first."
    (tmp_path / "ms3_data").mkdir()
    (tmp_path / "ms3_meta_data.csv").write_text("video_id;split\na;Test \n")
    with pytest.raises(DataError, match="visual_frames/a"):
        ObjectIndex(tmp_path, "v1m", "wav").read("test")


def test_words_are_taken_as_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "metadata.csv"
    path.write_text('uid,split,exp\na ,TEST," The Dog "\n')
    read = read_metadata(path, ("uid", "split", "exp"), KNOWN)
    assert read.table.to_numpy().tolist() == [["a", "test", " The Dog "]]
    assert [finding.where for finding in read.tidied] == ["a", "a"]
    assert [finding.detail for finding in read.tidied] == [
        "'a ' is read as 'a'",
        "'TEST' is read as 'test'",
    ]


def test_rows_that_nothing_reads_are_told_once(
    own_root: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "_SAID", set())
    path = own_root / INDEX
    path.write_text(path.read_text() + "a,a,0,0,dog,tset,v1m\nb,b,0,0,dog,test,v4\n")
    with caplog.at_level(logging.WARNING):
        for split in ("val", "test"):
            assert (
                len(SemanticIndex(own_root, ("v1m",)).read(split)) == {"val": 2, "test": 4}[split]
            )
    (record,) = caplog.records
    header, *rows = record.getMessage().splitlines()
    assert header.endswith("reads (known: label v1s v1m v2, split train val test): 2 problems")
    assert rows == ["  - a: label 'v1m', split 'tset'", "  - b: label 'v4', split 'test'"]
