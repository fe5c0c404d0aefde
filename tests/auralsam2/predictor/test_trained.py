import pytest

from auralsam2.models.methods.prompted import UnpromptedSAM2
from auralsam2.predictor import AuralSAM2VideoPredictor
from auralsam2.predictor.trained import check_model


def test_what_cannot_hear_and_be_clicked_is_refused_by_its_name() -> None:
    with pytest.raises(ValueError, match=r"UnpromptedSAM2 cannot.*auralsam2 predict RUN"):
        check_model(UnpromptedSAM2)


def test_what_is_not_there_is_named(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match="no run folder at"):
        AuralSAM2VideoPredictor.from_run(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError, match="no checkpoint at"):
        AuralSAM2VideoPredictor.from_checkpoint(tmp_path / "nothing.safetensors")
