import subprocess
import sys

import pytest

from auralsam2.weight_files import SOURCES, VGGISH_FILE, missing_files, sam2_file


def test_every_missing_file_is_told_with_its_key_and_source(tmp_path):
    there = tmp_path / "mine.pt"
    there.touch()
    model = {
        "backbone": {"type": "SAM2Backbone", "checkpoint": "weights/sam2_hiera_tiny.pt"},
        "audio_encoder": {"type": "VGGish", "weights": f"weights/{VGGISH_FILE}"},
        "text_encoder": {"weights": str(there)},
        "other": [{"weights": "builtin://log-mel-cnn"}, {"weights": "nowhere.pt"}],
    }

    messages = missing_files({"model": model})

    assert len(messages) == 3
    assert "'weights/sam2_hiera_tiny.pt'" in messages[0]
    assert "`model.backbone.checkpoint`" in messages[0]
    assert "facebookresearch/sam2" in messages[0]
    assert "`model.audio_encoder.weights`" in messages[1] and "torchvggish" in messages[1]
    assert "`model.other.1.weights`" in messages[2] and sam2_file("large", "2.1") in messages[2]


@pytest.mark.parametrize("value", [None, 3, {}, {"weights": None}])
def test_nothing_named_nothing_missing(value):
    assert missing_files({"model": value}) == []


def test_published_names():
    assert sam2_file("base_plus", "2.0") == "sam2_hiera_base_plus.pt"
    assert sam2_file("tiny", "2.1") == "sam2.1_hiera_tiny.pt"
    assert len(SOURCES) == 24


def test_a_missing_file_is_told_without_torch():
    code = (
        "import sys\n"
        "from auralsam2_tools.train import main\n"
        "try:\n"
        "    main(['auralsam2/hiera_tiny_v1m'])\n"
        "except FileNotFoundError as error:\n"
        "    print(str(error).count('no weights at'), 'torch' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["2", "False"]
