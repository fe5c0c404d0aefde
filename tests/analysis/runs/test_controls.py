from __future__ import annotations

import pytest

from analysis.runs.controls import (
    base_split,
    flat_headers,
    is_control,
    metric_header,
    parse_control,
    split_header,
)


@pytest.mark.parametrize(
    ("split", "header", "group"),
    [
        ("test", "J", "test"),
        ("test_s", "J", "test s"),
        ("test_audio_silence", "muted J", "test, muted"),
        ("test_audio_swapped", "J, audio swapped", "test, audio swapped"),
        ("test_s_audio_noise", "J, noise as audio", "test s, noise as audio"),
        ("test_audio_offscreen", "J, offscreen sound", "test, offscreen sound"),
        ("test_audio_loud", "J, audio loud", "test, audio loud"),
    ],
)
def test_headers(split: str, header: str, group: str) -> None:
    assert metric_header(split, "J") == header and split_header(split) == group


def test_headers_of_one_line_name_the_splits_where_there_are_several() -> None:
    columns = [("test", "J"), ("test_audio_silence", "J")]
    assert flat_headers(columns) == ["J", "muted J"]
    assert flat_headers([*columns, ("val", "F")]) == ["test J", "test muted J", "val F"]


def test_what_a_control_controls() -> None:
    assert parse_control("test_u_audio_silence") == ("test_u", "silence")
    assert parse_control("audio_silence") is None and parse_control("test") is None
    assert is_control("test_audio_swapped") and is_control("test_audio_loud")
    assert not is_control("my_audio_test_s")
    assert base_split("test_s_audio_noise") == "test_s" and base_split("val") == "val"
