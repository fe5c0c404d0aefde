from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from analysis.embeddings.companions import companions
from analysis.embeddings.points import Points
from analysis.figures import embedding_tsne
from tests.analysis.planted import points_of


def write_points(seed: int = 0, num_clips: int = 8, num_levels: int = 1) -> Points:
    """Two classes, and clips of several; the first two clips are silent."""
    return points_of(
        num_clips, seed=seed, num_levels=num_levels,
        kinds={"audio": 1, "foreground": 3, "background": 3},
        category=lambda clip: ("dog", "bell", "several")[clip % 3],
        sounding=lambda clip: clip > 1,
    )  # fmt: skip


def test_numbers_are_those_of_the_original_vectors() -> None:
    points = write_points(num_levels=2)
    numbers = embedding_tsne.collect({"ours": points}, perplexities=[5])
    (arm,) = numbers.arms

    own = companions(*points.select("projected", 1))
    assert {key: arm.numbers[key] for key in own} == pytest.approx(own, nan_ok=True)
    assert arm.level == 1
    row = embedding_tsne.to_frame(numbers).iloc[0]
    assert 0.5 < row["trustworthiness"] <= 1 and row["level"] == 1
    assert len(arm.planes[0].points) == len(points.table) / 2


def test_the_one_in_the_middle_is_drawn_large() -> None:
    numbers = embedding_tsne.collect({"a": write_points()}, perplexities=[3, 5, 8])

    assert list(embedding_tsne.to_frame(numbers)["perplexity"]) == [5]
    assert list(embedding_tsne.perplexities_to_frame(numbers)["perplexity"]) == [3, 5, 8]


def test_files_and_what_stands_below(tmp_path: Path, monkeypatch) -> None:
    drawn: list[Figure] = []
    original = embedding_tsne.style.save

    def save(figure: Figure, *rest: object) -> list[Path]:
        drawn.append(figure)
        return original(figure, *rest)

    monkeypatch.setattr(embedding_tsne.style, "save", save)
    numbers = embedding_tsne.collect(
        {"none": write_points(1), "AudioCon": write_points(2)},
        perplexities=[5],
        notes={"none": "seed 3"},
    )
    paths = embedding_tsne.make(numbers, tmp_path)

    kinds = ("pdf", "png", "csv", "points.csv")
    assert [p.name for p in paths] == [f"embedding_tsne.{kind}" for kind in kinds]
    assert list(pd.read_csv(paths[2])["arm"]) == ["none", "AudioCon"]
    assert pd.read_csv(paths[3])["arm"].value_counts().to_dict() == {"none": 56, "AudioCon": 56}
    below = drawn[0].axes[-2:]
    for arm, panel in zip(numbers.arms, below):
        shown = [text.get_text() for text in panel.texts]
        wanted = [*arm.numbers.values(), arm.planes[0].trustworthiness]
        assert shown == [f"{value:.3f}".replace("-", "−") for value in wanted]
    assert [panel.get_title() for panel in drawn[0].axes[:2]] == ["none\nseed 3", "AudioCon"]


def test_every_colouring_tells_what_it_says() -> None:
    numbers = embedding_tsne.collect({"a": write_points()}, perplexities=[5])
    plane = numbers.arms[0].planes[0]
    colours: dict[str, set[str]] = {}
    for colouring in embedding_tsne.COLOURINGS:
        panel = Figure().subplots()
        embedding_tsne.draw(plane, panel, colouring, numbers.classes)
        (group,) = panel.collections
        held = {to_hex(c) for c in group.get_edgecolors()}
        handles = embedding_tsne.keys(colouring, numbers.classes).values()
        dots = [d for key in handles for d in (key if isinstance(key, tuple) else (key,))]
        assert held == {to_hex(dot.get_color()) for dot in dots}
        colours[colouring] = held
        hollow = (group.get_facecolors()[:, 3] == 0).sum()
        assert hollow == 2, "the audio of two silent frames, and nothing else"
    assert len(colours["sounding"]) == 2 and len(colours["class"]) == 3


def test_no_class_lies_above_another_and_ten_have_a_look_of_their_own() -> None:
    points = write_points(num_clips=40)
    numbers = points.table["clip"].str[1:].astype(int) % 10
    points.table["category"] = numbers.map("class {}".format)
    points.table["sounding"] = True
    collected = embedding_tsne.collect({"a": points}, perplexities=[5])
    (plane,) = collected.arms[0].planes
    panel = Figure().subplots()
    embedding_tsne.draw(plane, panel, "class", collected.classes)

    (group,) = panel.collections
    looks = [
        (to_hex(colour), path.vertices.round(3).tobytes())
        for colour, path in zip(group.get_edgecolors(), group.get_paths(), strict=True)
    ]
    sizes = group.get_sizes()
    assert list(sizes) == sorted(sizes), "background, pixels, audio"
    for size in set(sizes) - {min(sizes)}:
        drawn = [look for look, own in zip(looks, sizes) if own == size]
        assert len({*drawn}) == 10
        assert len({*drawn[-len(drawn) // 4 :]}) > 4, "the uppermost ones are not of one class"


def test_at_most_ten_classes_have_a_look() -> None:
    points = write_points(num_clips=13)
    numbers = points.table["clip"].str[1:].astype(int)
    points.table["category"] = "a_class_of_a_very_long_name_" + numbers.astype(str)
    points.table.loc[numbers == 12, "category"] = "unknown"
    collected = embedding_tsne.collect({"a": points}, perplexities=[5])

    assert len(collected.classes) == 10
    names = embedding_tsne.keys("class", [*collected.classes[:1], "dog_bark"])
    assert list(names) == ["a_class_of_a_very_long_\nname_0", "dog_bark", "none, several, another"]


def test_the_same_seed_gives_the_same_picture() -> None:
    one, two = (embedding_tsne.collect({"a": write_points()}, perplexities=[5]) for _ in range(2))

    pd.testing.assert_frame_equal(one.arms[0].planes[0].points, two.arms[0].planes[0].points)


def test_perplexities_side_by_side(tmp_path: Path) -> None:
    numbers = embedding_tsne.collect(
        {"a": write_points(), "b": write_points(1)}, perplexities=[3, 5]
    )
    paths = embedding_tsne.make_perplexities(numbers, tmp_path)

    kinds = ("pdf", "png", "csv")
    assert [p.name for p in paths] == [f"embedding_tsne_perplexities.{kind}" for kind in kinds]
    table = pd.read_csv(paths[2])
    assert (
        list(table["arm"]) == ["a", "a", "b", "b"] and table["trustworthiness"].between(0, 1).all()
    )
