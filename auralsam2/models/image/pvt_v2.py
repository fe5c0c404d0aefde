"""PVT v2 through transformers, with the weights that its authors published."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor, nn

from auralsam2.models.gradient_checkpointing import checkpoint_layers
from auralsam2.models.weights.loading import Tolerance, load_weights
from auralsam2.registry import IMAGE_ENCODERS
from auralsam2.weight_files import image_weight_problems

CONVOLUTION_NORM_EPS = 1e-5
"""Of the norms behind the strided convolutions, which transformers gives the blocks' 1e-6."""

# Places in the authors' names -> in those of transformers, inside a stage.
_INSIDE = {
    "attn.q": "attention.query",
    "attn.proj": "attention.proj",
    "attn.sr": "attention.spatial_reduction",
    "attn.norm": "attention.layer_norm",
    "norm1": "layer_norm_1",
    "norm2": "layer_norm_2",
    "mlp.fc1": "mlp.dense1",
    "mlp.dwconv.dwconv": "mlp.dwconv.dwconv",
    "mlp.fc2": "mlp.dense2",
}


@IMAGE_ENCODERS.register_module()
class PVTv2Stages(nn.Module):
    """Pyramid Vision Transformer v2 (Wang et al. 2022), of the size b5 unless told otherwise.

    Args:
        widths: channels of the stages; ``num_heads`` divide them.
        depths: blocks of the stages.
        num_heads: of the attention in each stage.
        mlp_ratios: width inside the blocks' MLPs over that outside.
        sr_ratios: sides of the squares that become one key, in each stage.
        drop_path: share of residual branches left out in the last block while training, rising
            linearly from none in the first.
        gradient_checkpointing: keep no activations inside of blocks, see
            :func:`~auralsam2.models.gradient_checkpointing.checkpoint_layers`.
        weights: path of the authors' ``pvt_v2_b5.pth``, or of the same in the names of
            transformers; the classifier is left out. ``None`` starts from random weights.

    Attributes:
        channels: of the four stages, ``widths``.

    Raises:
        FileNotFoundError: where ``weights`` does not exist, before anything is built.
        ImportError: where transformers is missing.
        ValueError: where the sizes do not go together, or the weights do not fit them; every
            tensor that is missing or left over is named.
    """

    def __init__(
        self,
        widths: Sequence[int] = (64, 128, 320, 512),
        depths: Sequence[int] = (3, 6, 40, 3),
        num_heads: Sequence[int] = (1, 2, 5, 8),
        mlp_ratios: Sequence[int] = (4, 4, 4, 4),
        sr_ratios: Sequence[int] = (8, 4, 2, 1),
        drop_path: float = 0.1,
        gradient_checkpointing: bool = False,
        weights: str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__()
        sizes = dict(
            widths=widths, depths=depths, num_heads=num_heads,
            mlp_ratios=mlp_ratios, sr_ratios=sr_ratios,
        )  # fmt: skip
        if wrong := [f"{name}={value}" for name, value in sizes.items() if len(value) != 4]:
            raise ValueError(f"PVTv2Stages has four stages; got {', '.join(wrong)}")
        if missing := self.problems(weights):
            raise FileNotFoundError(missing[0])
        try:
            from transformers import PvtV2Backbone, PvtV2Config
        except ImportError as error:
            raise ImportError("PVTv2Stages needs transformers: pip install transformers") from error
        config = PvtV2Config(
            hidden_sizes=list(widths), depths=list(depths), num_attention_heads=list(num_heads),
            mlp_ratios=list(mlp_ratios), sr_ratios=list(sr_ratios), drop_path_rate=drop_path,
            out_features=["stage1", "stage2", "stage3", "stage4"],
        )  # fmt: skip
        self.network = PvtV2Backbone(config)
        for name, module in self.network.named_modules():
            if name.endswith(("patch_embedding.layer_norm", "attention.layer_norm")):
                module.eps = CONVOLUTION_NORM_EPS
        if gradient_checkpointing:
            for stage in self.network.encoder.layers:
                checkpoint_layers(stage.blocks)
        self.channels = tuple(widths)
        if weights is not None:
            load_weights(
                self.network,
                Path(os.path.expanduser(weights)),
                what="PVT v2 of these sizes",
                hint="The defaults are those of pvt_v2_b5.pth",
                tolerance=Tolerance(("head.", "classifier."), wrappers=("pvt_v2",)),
                rename=in_names_of_transformers,
            )

    @staticmethod
    def problems(weights: str | os.PathLike[str] | None = None, **_: object) -> list[str]:
        """What stands in the way of building, found without building."""
        return image_weight_problems(weights, "pvt_v2_b5.pth")

    def forward(self, frames: Tensor) -> tuple[Tensor, ...]:
        """(F, 3, S, S) -> (F, C_i, S / s, S / s) for s = 4, 8, 16, 32."""
        return tuple(self.network(frames).feature_maps)


def in_names_of_transformers(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The authors' tensors under the names of transformers; keys and values were one matrix.

    Other names stay as they are.
    """
    renamed = {}
    for key, value in state.items():
        if ".attn.kv." in key:
            for part, half in zip(("key", "value"), value.chunk(2), strict=True):
                own = _own_name(key.replace(".attn.kv.", ".attn.q."))
                renamed[own.replace(".query.", f".{part}.")] = half.clone()
        else:
            renamed[_own_name(key)] = value
    return renamed


def _own_name(key: str) -> str:
    """``block3.7.norm1.weight`` -> ``encoder.layers.2.blocks.7.layer_norm_1.weight``."""
    found = re.search(r"(?:^|(?<=\.))(patch_embed|block|norm)([1-4])\.(.+)$", key)
    if found is None:
        return key
    kind, stage, rest = found.groups()
    place, _, tensor = rest.rpartition(".")
    if kind == "block":
        index, _, inside = place.partition(".")
        if inside not in _INSIDE:
            return key
        path = f"blocks.{index}.{_INSIDE[inside]}"
    elif kind == "patch_embed":
        path = f"patch_embedding.{place.replace('norm', 'layer_norm')}"
    elif not place:
        path = "layer_norm"
    else:
        return key
    return f"{key[: found.start()]}encoder.layers.{int(stage) - 1}.{path}.{tensor}"
