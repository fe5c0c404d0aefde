from auralsam2.predictor.hearing import Windows


def test_a_window_has_its_frames_in_groups_one_second_apart() -> None:
    windows = Windows([i / 2 for i in range(9)], 3)  # two a second, 4.5 s
    assert [windows.of(f) for f in range(9)] == [0] * 6 + [1] * 3
    assert windows.groups(0) == [[0, 2, 4], [1, 3, 5]]
    # The last second has one frame, which stands in for the second that is not there.
    assert windows.groups(1) == [[6, 8], [7, 8]]
    assert windows.seconds(1) == [3, 4] and windows.frames(1) == [6, 7, 8]


def test_frames_fall_into_their_seconds_whatever_their_rate() -> None:
    regular = Windows([i * 1001 / 30000 for i in range(150)], 5)
    assert {len(group) for group in regular.groups(0)} == {5}
    assert len(regular.groups(0)) == 30
    slow = Windows([0, 2, 4, 6], 5)
    assert slow.groups(0) == [[0, 1, 2]] and slow.groups(1) == [[3]]
    tenths = Windows([i / 10 for i in range(100)], 5)
    assert all(len(tenths.frames(w)) == 50 for w in range(2))
