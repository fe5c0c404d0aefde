import numpy as np
import pytest
from PIL import Image

from auralsam2.data.frame_source import open_frames

from .trees import video_numbers


def test_a_file_has_all_its_pictures_or_some_a_second(tmp_path, write_video) -> None:
    path = write_video(tmp_path / "a.mp4", seconds=3)
    every = open_frames(path)
    assert len(every) == 30 and every.size == (32, 48)
    np.testing.assert_allclose(every.times, np.arange(30) / 10, atol=1e-3)
    assert video_numbers(every[i] for i in range(30)) == list(range(30))
    few = open_frames(path, fps=4)
    assert few.times == [i / 4 for i in range(12)]
    assert video_numbers(few[i] for i in (0, 1, 2, 11)) == [0, 2, 5, 27]
    many = open_frames(path, fps=20)
    assert len(many) == 60 and video_numbers(many[i] for i in (3, 2, 59, 0)) == [1, 1, 29, 0]


def test_frames_are_read_in_any_order(tmp_path, write_video) -> None:
    frames = open_frames(write_video(tmp_path / "a.mp4", seconds=3))
    assert video_numbers(frames[i] for i in range(29, -1, -1)) == list(range(29, -1, -1))
    assert video_numbers(frames[i] for i in (5, 25, 6, 24)) == [5, 25, 6, 24]
    frames.close()
    assert video_numbers([frames[7]]) == [7]


def test_pictures_of_a_folder_go_by_number(tmp_path) -> None:
    for number in (10, 2, 1):
        Image.new("RGB", (6, 4), (number, 0, 0)).save(tmp_path / f"{number}.png")
    frames = open_frames(tmp_path)
    assert [int(f[0, 0, 0]) for f in (frames[0], frames[1], frames[2])] == [1, 2, 10]
    assert frames.times == [0, 1, 2] and frames.size == (4, 6) and frames.path is None
    assert open_frames(tmp_path, fps=2).times == [0, 0.5, 1]


def test_what_is_no_video_is_told(tmp_path) -> None:
    for video, said in (
        ([], "empty sequence"),
        ([np.zeros((4, 4), np.uint8)], "picture 0"),
        (tmp_path, "no pictures in"),
    ):
        with pytest.raises(ValueError, match=said):
            open_frames(video)
    with pytest.raises(FileNotFoundError):
        open_frames(tmp_path / "none.mp4")
    for fps in (0, float("nan"), 1e9):
        with pytest.raises(ValueError, match="fps must be a number above 0, of at most 1000"):
            open_frames([np.zeros((4, 4, 3), np.uint8)], fps=fps)
    sizes = [np.zeros((4, 4, 3), np.uint8), np.zeros((5, 4, 3), np.uint8)]
    with pytest.raises(ValueError, match="frame 1 has 4 x 5 px"):
        open_frames(sizes)[1]
