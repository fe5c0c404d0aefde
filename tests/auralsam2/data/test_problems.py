from __future__ import annotations

import pytest

from auralsam2.data.problems import SHOWN, DataError, refuse


def test_problems_come_together_and_the_many_are_counted() -> None:
    with pytest.raises(DataError) as caught:
        refuse([f"fault {i}" for i in range(SHOWN + 2)], "'root', v2/train")
    lines = str(caught.value).splitlines()
    assert lines[0] == f"'root', v2/train: {SHOWN + 2} problems"
    assert lines[1:-1] == [f"  - fault {i}" for i in range(SHOWN)]
    assert lines[-1] == "  ... and 2 more"
