"""The frozen SAM2 as a component: pyramid, decoder and memory behind one door."""

from __future__ import annotations

from auralsam2.models.backbones.promptable import PromptableBackbone
from auralsam2.models.backbones.sam2.sizes import SIZE_MULTIPLE, checkpoint_problem, recognise
from auralsam2.models.backbones.sam2.transformers_names import official_names
from auralsam2.models.weights import locate
from auralsam2.models.weights.loading import load_weights
from auralsam2.registry import BACKBONES


@BACKBONES.register_module()
class SAM2Backbone(PromptableBackbone):
    """SAM2 of any size, frozen and in eval mode unless asked otherwise.

    Args:
        size: ``mini`` (comes with this package), ``tiny``, ``small``, ``base_plus``, ``large``.
        version: ``2.0`` or ``2.1``, the generation of the checkpoint.
        checkpoint: path of the weights, as SAM2's authors publish them or a folder of transformers
            (``config.json``, ``model.safetensors``), or ``builtin://sam2-mini``.
        image_size: S, side of the square input in pixels; default: as the weights were trained.
        frozen: no gradient into SAM2's parameters (published), but for those that a method asks
            to train.
        allow_partial: accept a checkpoint that covers the network only in part.
        random_weights: go without a checkpoint, for tests and dry runs.

    Attributes:
        size_multiple: S is a multiple of it.

    Raises:
        FileNotFoundError: where the checkpoint does not exist, before anything is built.
        ValueError: on an unknown size or version, or weights that do not fit.
    """

    size_multiple = SIZE_MULTIPLE

    def __init__(
        self,
        size: str = "mini",
        version: str = "2.1",
        checkpoint: str | None = None,
        image_size: int | None = None,
        frozen: bool = True,
        allow_partial: bool = False,
        random_weights: bool = False,
    ) -> None:
        if problem := checkpoint_problem(size, version, checkpoint, random_weights):
            raise problem
        try:
            from auralsam2.models.backbones.sam2.build import build_sam2
        except ImportError as error:
            raise ImportError(
                "SAM2Backbone needs the official package: SAM2_BUILD_CUDA=0 pip install "
                "--no-build-isolation sam2==1.1.0"
            ) from error
        network = build_sam2(size, version, image_size)
        if checkpoint is not None:
            load_weights(
                network,
                locate(checkpoint),
                what=f"SAM2 {version} {size!r}",
                rename=official_names,
                recognise=recognise,
                partial_hint="To load what matches, set `model.backbone.allow_partial` to True",
                allow_partial=allow_partial,
            )
        super().__init__(network, frozen)

    @staticmethod
    def problems(
        size: str = "mini",
        version: str = "2.1",
        checkpoint: str | None = None,
        random_weights: bool = False,
        **_: object,
    ) -> list[str]:
        """What stands in the way of building, found without building."""
        problem = checkpoint_problem(size, version, checkpoint, random_weights)
        return [str(problem)] if problem else []
