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
