"""EEMC on its original terms, Mask2Former with Swin-B at 384 px and the authors' recipe, Ref-AVS."""

_base_ = ["./eemc_ref_avs.py"]

model = dict(
    _delete_=True,
    type="EEMCMask2Former",
    weights="weights/mask2former-swin-base-ade-semantic",
    audio_encoder=_base_.model.audio_encoder,
    text_encoder=_base_.model.text_encoder,
    mask_loss=_base_.model.mask_loss,
)
data = dict(image_size=384)
