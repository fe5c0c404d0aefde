import numpy as np
import pytest
import torch
from PIL import Image
from sam2.sam2_image_predictor import SAM2ImagePredictor

from auralsam2.data.images import Resizing
from auralsam2.predictor import AuralSAM2ImagePredictor
from auralsam2.predictor.trained import Trained


@pytest.fixture
def predictor(model) -> AuralSAM2ImagePredictor:
    return AuralSAM2ImagePredictor(Trained(model, Resizing(128)))


def test_a_picture_and_its_second_give_the_models_own_masks(
    model, predictor, shown, heard, answer_of
) -> None:
    frames, sound = shown(1), heard(1)
    expected = answer_of(model, frames, sound)
    predictor.set_image(frames[0], sound)
    masks, ious, _ = predictor.predict(return_logits=True)
    assert masks.shape == (3, 96, 112)
    np.testing.assert_allclose(ious, expected["ious"][0], atol=1e-5)
    best, iou, _ = predictor.predict(multimask_output=False, return_logits=True)
    np.testing.assert_allclose(best, expected["mask_logits"], atol=1e-4)
    assert iou == ious.max()


def test_with_the_sound_off_the_official_code_answers(predictor, shown, heard) -> None:
    frame, click = shown(1)[0], dict(point_coords=[[30, 45]], point_labels=[1])
    predictor.set_image(frame, heard(1))
    quiet, loud = (predictor.predict(**click, audio_weight=w, return_logits=True) for w in (0, 1))
    assert not np.array_equal(quiet[0], loud[0])
    official = SAM2ImagePredictor(predictor.model)
    official._features, official._orig_hw = predictor._features, predictor._orig_hw
    official._is_image_set = True
    for ours, theirs in zip(quiet, official.predict(**click, return_logits=True)):
        np.testing.assert_array_equal(ours, theirs)


def test_prompts_of_all_kinds_go_together_without_another_encoding(
    predictor, shown, heard, monkeypatch
) -> None:
    calls = []
    encoder = predictor.model.image_encoder
    hook = encoder.register_forward_hook(lambda *_: calls.append(1))
    predictor.set_image(shown(1)[0], heard(1))
    _, _, low = predictor.predict()
    found = [
        predictor.predict(box=[20, 30, 50, 60], audio_weight=w, mask_input=low[:1]) for w in (1, 2)
    ]
    hook.remove()
    assert len(calls) == 1
    assert not np.array_equal(found[0][1], found[1][1])
    assert torch.isfinite(torch.from_numpy(found[0][2])).all()


def test_pictures_of_every_kind_are_colour_pictures_or_refused(predictor, heard) -> None:
    grey = Image.fromarray(np.arange(20 * 30, dtype=np.uint8).reshape(20, 30))
    masks = []
    for picture in (grey, np.stack([np.asarray(grey)] * 3, axis=2)):
        predictor.set_image(picture, heard(1))
        masks.append(predictor.predict()[0])
    np.testing.assert_array_equal(*masks)
    for picture in (np.asarray(grey), np.zeros((20, 30, 3))):
        with pytest.raises(ValueError, match="wanted .H, W, 3. of uint8"):
            predictor.set_image(picture, heard(1))
