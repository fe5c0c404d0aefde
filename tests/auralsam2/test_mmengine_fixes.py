"""What mmengine is made to do; that a run stays on its device is shown in the tests of train."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.fileio import get_file_backend
from mmengine.logging.history_buffer import HistoryBuffer

from auralsam2.mmengine_fixes import WHOLE_FILES, PlainCheckpointHook


def test_message_hub_becomes_plain(tmp_path: Path) -> None:
    hub = {
        "log_scalars": {"train/loss": HistoryBuffer([1.0], [1])},
        "runtime_info": {"epoch": 3, "best_score": 0.5, "cfg": object()},
        "resumed_keys": {"train/loss": True},
    }
    checkpoint = {"message_hub": hub}
    PlainCheckpointHook().before_save_checkpoint(SimpleNamespace(), checkpoint)
    assert checkpoint["message_hub"]["runtime_info"] == {"epoch": 3, "best_score": 0.5}
    torch.save(checkpoint, tmp_path / "c.pth")
    assert torch.load(tmp_path / "c.pth", weights_only=True) == checkpoint


def test_half_a_checkpoint_is_never_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = get_file_backend(backend_args=dict(backend=WHOLE_FILES))
    target = tmp_path / "epoch_1.pth"
    backend.put(b"old", str(target))

    def unplugged(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", unplugged)
    with pytest.raises(KeyboardInterrupt):
        backend.put(b"new", str(target))
    assert target.read_bytes() == b"old" and list(tmp_path.iterdir()) == [target]
