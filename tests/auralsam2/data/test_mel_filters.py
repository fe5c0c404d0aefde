from __future__ import annotations

import subprocess
import sys

import pytest

from auralsam2.data import mel_filters


def test_the_same_code_as_the_package_has() -> None:
    package = pytest.importorskip("torchvggish.vggish_params")
    params = mel_filters.torchvggish_file("vggish_params")
    names = [name for name in vars(package) if name.isupper()]
    assert "NUM_MEL_BINS" in names
    assert all(getattr(params, name) == getattr(package, name) for name in names)


def test_spectrograms_import_neither_torch_nor_numba() -> None:
    program = (
        "import sys, numpy as np\n"
        "from auralsam2.data.audio import log_mel_spectrogram\n"
        "assert log_mel_spectrogram(np.zeros(16_000), 16_000).shape == (98, 64)\n"
        "print([name for name in ('torch', 'numba', 'resampy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mel_filters, "find_spec", lambda name: None)
    mel_filters.torchvggish_file.cache_clear()
    with pytest.raises(ImportError, match="pip install torchvggish"):
        mel_filters.torchvggish_file("mel_features")
