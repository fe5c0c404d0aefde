"""What a benchmark has kept, read again."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.figures import benchmarks


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no JSON"),
        ("[]", "has none of measured"),
        ('{"config": 1}', "has none of measured"),
    ],
)
def test_what_no_benchmark_has_written_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(text)
    with pytest.raises(ValueError, match=said):
        benchmarks.read(file)


@pytest.mark.parametrize("kind", benchmarks.FIGURES)
@pytest.mark.parametrize("part", ["{}", "[]", "1"])
def test_a_part_that_was_edited_is_named(tmp_path: Path, kind: str, part: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(f'{{"{kind}": {part}}}')
    with pytest.raises(ValueError, match=f"'{kind}' is not as"):
        benchmarks.make(benchmarks.read(file), tmp_path, "x")
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]
