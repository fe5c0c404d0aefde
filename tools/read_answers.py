"""Turn a language model's answers to the files that methods/al_ref_sam2_v1m reads.

Every input is JSON by clip, named as the data set names its clips. ANSWERS maps a clip to the
answer of step 1, such as "['dog': 3]"; --boxes to a dict of names and answers of step 2, such as
"[2]"; --seconds to a list of the names that sound in each second. Written are sounds.json, for
LabelFileClassifier, and choices.json, for ALRefSAM2. Boxes come from a detector.

Examples:
    auralsam2 read-answers step1.json --out weights
    auralsam2 read-answers step1.json --boxes step2.json --seconds seconds.json --out weights
    auralsam2 read-answers step1.json --detections weights/boxes_v1m.json --out weights
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from auralsam2.command_line import Parser, Whole, input_path, output_folder, run_file


def main(argv: Sequence[str] | None = None) -> int:
    """Write both files and say what to set."""
    parser = Parser(__doc__)
    parser.add_argument("answers", type=input_path, help="answers of step 1")
    parser.add_argument("--boxes", type=input_path, help="answers of step 2; default: box 1")
    parser.add_argument("--seconds", type=input_path, help="default: all names sound throughout")
    parser.add_argument("--detections", type=input_path, help="boxes whose classes are taken")
    parser.add_argument("--num-frames", type=Whole(1), default=10, help="of a clip (default: 10)")
    parser.add_argument("--out", type=output_folder, required=True, help="folder to write to")
    options = parser.parse_args(argv)

    from auralsam2.models.methods.answers import read_answers
    from auralsam2.text_files import write_text

    answers = _by_clip(options.answers, "an answer", _is_text)
    boxes = _by_clip(options.boxes, "names and their answers", _is_answers, answers)
    seconds = _by_clip(options.seconds, "a list of names for each second", _is_seconds, answers)
    found = read_answers(answers, boxes, seconds, options.num_frames)
    classes = _read(options.detections).get("classes", found.names)
    if unknown := [name for name in found.names if name not in classes]:
        raise ValueError(
            f"'{options.detections}' has boxes of {len(classes)} classes, and the answers name "
            f"{len(unknown)} others, such as {unknown[:5]}: ask the detector for them, too"
        )
    sounds = {"classes": classes, "clips": found.sounds}
    for name, content in (("sounds.json", sounds), ("choices.json", found.choices)):
        write_text(options.out / name, json.dumps(content))
    print(f"{len(found.sounds)} clips; set model.num_classes to {len(classes)}")
    print(f"model.sound_classifier.path={options.out / 'sounds.json'}")
    print(f"model.choices={options.out / 'choices.json'}")
    return 0


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_answers(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_text, value.values()))


def _is_seconds(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(names, list) and all(map(_is_text, names)) for names in value
    )


def _by_clip(
    path: Path | None, form: str, fits: Callable[[Any], bool], answers: dict[str, Any] | None = None
) -> dict[str, Any]:
    """What a file has of every clip, of one form, and of clips that have an answer alone."""
    content = _read(path)
    if unknown := [clip for clip in content if answers is not None and clip not in answers]:
        raise ValueError(f"'{path}' has {len(unknown)} clips without an answer: {unknown[:5]}")
    if wrong := next((clip for clip, value in content.items() if not fits(value)), None):
        raise ValueError(f"'{path}', clip '{wrong}' must have {form}, got {content[wrong]!r:.80}")
    return content


def _read(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"'{path}' is no JSON: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"'{path}' must map clips to answers, got {type(content).__name__}")
    return content


if __name__ == "__main__":
    run_file(__file__)
