"""What was skipped leaves the batch and reaches the record."""

from __future__ import annotations

from collections import Counter

from auralsam2.data.datasets.guarded import CorruptClip
from auralsam2.engine.hooks.skipped_clips_hook import SkippedClipsHook, note_skipped
from auralsam2.engine.run_record import RunRecord

ONE, TWO = CorruptClip("one", "cannot decode 'a.jpg'"), CorruptClip("two", "no 'b.wav'")


def test_batches_are_counted_and_cleaned() -> None:
    tally: Counter[CorruptClip] = Counter()
    hook = SkippedClipsHook(tally)
    for skipped in ([ONE], [ONE, TWO]):
        batch = {"frames": 0, "skipped": skipped}
        hook.before_train_iter(None, 0, batch)
        assert batch == {"frames": 0}
    hook.before_train_iter(None, 2, {"frames": 0})
    assert tally == {ONE: 2, TWO: 1}


def test_the_record_names_clip_file_and_count() -> None:
    record = RunRecord()
    note_skipped(record, "train", {ONE: 2, TWO: 1})
    note_skipped(record, "val", {})
    assert record.skipped == {"train": 3}
    assert record.notes == [
        "train: skipped the corrupt clip 'one' 2 times: cannot decode 'a.jpg'",
        "train: skipped the corrupt clip 'two' once: no 'b.wav'",
    ]
