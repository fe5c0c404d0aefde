"""SAMA-AVS as released, on the embedded sam2-mini: the decoder must learn where things are."""

_base_ = ["../sama_avs_mini_v1m.py"]

model = dict(random_position_code=True, random_no_mask=True)
