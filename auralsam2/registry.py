"""Every registry of the framework, one per ablation axis, each with its call contract.

Axes in the contracts: B clips, T frames of a clip, C channels of the SAM2 neck, E side of the
coarsest map, N = E * E visual tokens of a frame, M audio tokens of a clip, D contrastive space,
A ears, S side of the input image.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable
from importlib import import_module

import mmengine.registry as roots

from auralsam2.builder import SCOPE
from auralsam2.builder import ComponentArgumentError as ComponentArgumentError
from auralsam2.builder import Registry as Registry
from auralsam2.builder import UnknownComponentError as UnknownComponentError


def import_siblings(package: str, path: Iterable[str]) -> None:
    """Import every module of a package, so that a new component is one new file.

    Call it as ``import_siblings(__name__, __path__)`` in the package's ``__init__.py``.

    Args:
        package: the package's dotted name.
        path: the folders of the package.
    """
    for module in pkgutil.iter_modules(list(path)):
        import_module(f"{package}.{module.name}")


def load_all() -> None:
    """Import every package that registers components."""
    for registry in REGISTRIES.values():
        registry.import_from_location()


# The model, one class that owns the parts below.
MODELS = Registry(
    "model",
    contract="mmengine BaseModel: forward(inputs, data_samples, mode) with mode loss|predict; "
    "builds its parts from the nodes of the model config",
    locations=["auralsam2.models.released", "auralsam2.models.methods"],
    parent=roots.MODELS,
    base="mmengine.model:BaseModel",
)
# Readers of clips.
DATASETS = Registry(
    "dataset",
    contract="build(root, image_size); len(), [i] -> dict(frames (T,3,S,S) uint8, log_mel "
    "(T,A,96,64) float32, masks (T,S,S) uint8, supervised (T,) bool, clip str), .clips, "
    ".fingerprint() -> str; may have a static companions(root, **node) -> files of the root that "
    "items hang on and the fingerprint leaves out",
    locations=["auralsam2.data.datasets.*"],
    parent=roots.DATASETS,
)
# Random changes of a whole clip. A root of its own: below mmengine's, mmcv's transforms of single
# pictures would be found too, and fail at the first clip.
TRANSFORMS = Registry(
    "transform",
    contract="build(); dict(frames (T,H,W,3) uint8 RGB, masks (T,H,W) uint8), "
    "numpy.random.Generator -> dict of the same keys and shapes; one draw a clip; inputs are not "
    "written to",
    locations=["auralsam2.data.transforms"],
)
# Stages of training that are not part of the loop.
HOOKS = Registry(
    "hook",
    contract="mmengine Hook: overrides some of the stages of the Runner",
    locations=["auralsam2.engine.hooks", "auralsam2.mmengine_fixes"],
    parent=roots.HOOKS,
    base="mmengine.hooks:Hook",
)
# Scores of predicted masks.
METRICS = Registry(
    "metric",
    contract="computed per frame on native-size masks, averaged per clip, then over clips",
    locations=["auralsam2.metrics"],
    parent=roots.METRICS,
    base="auralsam2.metrics.clip_metric:ClipMetric",
)
# Step rules of training; torch's are known by their class names.
OPTIMIZERS = Registry(
    "optimizer",
    contract="torch Optimizer: build(params)",
    locations=["mmengine.optim"],
    parent=roots.OPTIMIZERS,
)
# Order in which clips are drawn.
DATA_SAMPLERS = Registry(
    "data sampler",
    contract="torch Sampler: build(dataset, seed) -> iterator over clip indices",
    parent=roots.DATA_SAMPLERS,
)
# The image backbone with its mask decoder and memory.
BACKBONES = Registry(
    "backbone",
    contract="frames -> VisualPyramid of (B,T,C,4E,4E), (B,T,C,2E,2E), (B,T,C,E,E); frozen; "
    ".size_multiple (default 1), which divides S",
    locations=["auralsam2.models.backbones"],
    base="torch.nn:Module",
)
# Log-mel patches to one vector a frame.
AUDIO_ENCODERS = Registry(
    "audio encoder",
    contract="(B,T,A,96,64) log-mel -> (B,T,D); ears share weights and are concatenated; "
    ".out_channels",
    locations=["auralsam2.models.audio"],
    base="torch.nn:Module",
)
# A referring expression to tokens that join the audio's.
TEXT_ENCODERS = Registry(
    "text encoder",
    contract="build(); B strings -> (B,K,D) hidden states; .out_channels = D; None = off",
    locations=["auralsam2.models.text"],
    base="torch.nn:Module",
)
# Which levels of the pyramid are used, brought to one token grid.
PYRAMIDS = Registry(
    "pyramid",
    contract="build(channels=C, embedding_size=E); VisualPyramid -> tuple of (B,T,N,C), one per "
    "used level, finest first",
    locations=["auralsam2.models.pyramid"],
    base="torch.nn:Module",
)
# Self-attention over the visual tokens of one frame, before fusion.
VISUAL_ATTENTIONS = Registry(
    "visual attention",
    contract="build(channels=C, embedding_size=E, depth); (B,T,N,C) -> (B,T,N,C), per frame",
    locations=["auralsam2.models.attention"],
    base="torch.nn:Module",
)
# Self-attention over the audio tokens of one clip, before fusion.
AUDIO_ATTENTIONS = Registry(
    "audio attention",
    contract="build(channels=C, depth); (B,M,C) -> (B,M,C), a sequence is a clip's tokens",
    locations=["auralsam2.models.attention"],
    base="torch.nn:Module",
)
# Exchange between the visual and the audio tokens of a level.
FUSIONS = Registry(
    "fusion",
    contract="build(channels=C); visual (B,T,N,C), audio (B,M,C) -> FusionOutput of the same "
    "shapes; never mixes clips; own arguments have defaults",
    locations=["auralsam2.models.fusion"],
    base="torch.nn:Module",
)
# Fused audio to tokens of the mask decoder.
SPARSE_PROMPTS = Registry(
    "sparse prompt",
    contract="build(channels=C), one per level; (B,T,C) -> (B,T,C); None = off",
    locations=["auralsam2.models.prompts"],
    base="torch.nn:Module",
)
# Fused visual tokens to the image embedding that the mask decoder reads.
DENSE_PROMPTS = Registry(
    "dense prompt",
    contract="build(channels=C), one per level; (B,T,N,C) -> (B,T,N,C); None = off",
    locations=["auralsam2.models.prompts"],
    base="torch.nn:Module",
)
# Both modalities into the contrastive space.
PROJECTORS = Registry(
    "projector",
    contract="build(channels=C); .visual (B,T,N,C) -> (B,T,N,D), .audio (B,T,C) -> (B,T,D), "
    "L2-normalised over D; .visual_source, the field of FuserOutput that .visual reads",
    locations=["auralsam2.models.projector"],
    base="torch.nn:Module",
)
# Supervision of the decoder's masks.
MASK_LOSSES = Registry(
    "mask loss",
    contract="Prediction, masks (B,T,S,S) float 0/1, supervised (B,T) bool -> dict of weighted "
    "scalars loss_mask, loss_dice, loss_iou, loss_class",
    locations=["auralsam2.losses"],
    base="torch.nn:Module",
)
# Supervision of the contrastive space.
CONTRASTIVE_LOSSES = Registry(
    "contrastive loss",
    contract="Embeddings, mask_logits (B,T,4E,4E), masks (B,T,S,S), supervised (B,T), "
    "generator -> dict(loss_contrastive); None = off",
    locations=["auralsam2.losses"],
    base="torch.nn:Module",
)
# Where in the mask decoder prompts enter.
INJECTIONS = Registry(
    "injection",
    contract="build(); .dense_levels(L), .added_levels(L) -> level or None of each decoder site, "
    ".appended_levels(L) -> levels that become tokens; .token_mask(K, device) -> (K,) 0/1; "
    ".token_position(tokens, injected) -> their positional code, (B,K,C) all three",
    locations=["auralsam2.models.injection"],
)
# How masks travel through a clip.
TRACKERS = Registry(
    "tracker",
    contract="VisualPyramid, Prompts -> Prediction over T frames; conditioning frame and memory "
    "are its policy",
    locations=["auralsam2.models.tracking"],
)
# Named objects in frames, for methods that translate sound to a prompt.
DETECTORS = Registry(
    "detector",
    contract="build(channels=C, num_classes=K); VisualPyramid, B clip names -> Detections of "
    "boxes (B,T,D,4), labels (B,T,D), scores (B,T,D); .losses(VisualPyramid, clip names, Evidence)",
    locations=["auralsam2.models.detection"],
)
# What is heard, for methods that translate sound to a prompt.
SOUND_CLASSIFIERS = Registry(
    "sound classifier",
    contract="build(num_classes=K); (B,T,A,96,64) log-mel, B clip names -> (B,T,K) logits",
    locations=["auralsam2.models.sound"],
)

REGISTRIES: dict[str, Registry] = {
    registry.config_key: registry
    for registry in (
        *(MODELS, DATASETS, TRANSFORMS, HOOKS, METRICS, OPTIMIZERS, DATA_SAMPLERS),
        *(
            BACKBONES,
            AUDIO_ENCODERS,
            TEXT_ENCODERS,
            PYRAMIDS,
            VISUAL_ATTENTIONS,
            AUDIO_ATTENTIONS,
            FUSIONS,
        ),
        *(SPARSE_PROMPTS, DENSE_PROMPTS, PROJECTORS, MASK_LOSSES, CONTRASTIVE_LOSSES),
        *(INJECTIONS, TRACKERS, DETECTORS, SOUND_CLASSIFIERS),
    )
}

# Under default_scope="auralsam2" the Runner looks for a child of every root it builds from and
# warns at each build where there is none.
for _root in (
    *(roots.RUNNERS, roots.LOOPS, roots.MODEL_WRAPPERS, roots.OPTIM_WRAPPERS),
    *(roots.OPTIM_WRAPPER_CONSTRUCTORS, roots.PARAM_SCHEDULERS, roots.EVALUATOR),
    *(roots.VISUALIZERS, roots.VISBACKENDS, roots.LOG_PROCESSORS, roots.FUNCTIONS),
    *(roots.WEIGHT_INITIALIZERS, roots.STRATEGIES, roots.RUNNER_CONSTRUCTORS),
):
    roots.Registry(_root.name, parent=_root, scope=SCOPE)
