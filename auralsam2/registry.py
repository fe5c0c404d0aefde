"""Every registry of the framework, one per ablation axis, each with its call contract.

Axes in the contracts: B clips, T frames of a clip, C channels of the SAM2 neck, E side of the
coarsest map, N = E * E visual tokens of a frame, M audio tokens of a clip, D contrastive space,
A ears, S side of the input image.
"""

from __future__ import annotations

from functools import partial

import mmengine.registry as roots

from auralsam2.builder import SCOPE
from auralsam2.builder import ComponentArgumentError as ComponentArgumentError
from auralsam2.builder import Registry as Registry
from auralsam2.builder import UnknownComponentError as UnknownComponentError


def load_all() -> None:
    """Import every package that registers components."""
    for registry in REGISTRIES.values():
        registry.import_from_location()


_part = partial(Registry, base="torch.nn:Module")
"""A registry of parts of a network."""

# The model, one class that owns the parts below.
MODELS = Registry(
    "model",
    given=["image_size", "decode"],
    calls={
        "forward(mode, frames, log_mel, masks, supervised, clip)": "a batch as data sets give it "
        "-> loss: dict of scalars loss_...; predict: a dict for each clip of what metrics read; "
        "tensor: Prediction"
    },
    contract="builds its parts from the nodes of the model config; .generator, a torch.Generator "
    "that is seeded anew at every step",
    locations=["auralsam2.models.released", "auralsam2.models.methods.*"],
    parent=roots.MODELS,
    base="mmengine.model:BaseModel",
)
# Readers of clips.
DATASETS = Registry(
    "dataset",
    given=["root", "image_size", "channels", "waveform_rate"],
    calls={
        "__len__()": "number of clips",
        "__getitem__(index)": "dict(frames (T,3,S,S) uint8, log_mel (T,A,96,64) or, with a "
        "waveform_rate R, (T,A,R), masks (T,S,S), native_masks (T,H,W) uint8, supervised (T,) "
        "bool, clip str); with classes also semantic (T,S,S), native_semantic (T,H,W), 255 none",
        "fingerprint()": "str that changes with the content",
    },
    contract=".clips, the names; may have a static companions(root, **node) -> files of the root "
    "that items hang on and the fingerprint leaves out",
    locations=["auralsam2.data.datasets.*"],
    parent=roots.DATASETS,
)
# Random changes of a whole clip. A root of its own: below mmengine's, mmcv's transforms of single
# pictures would be found too, and fail at the first clip.
TRANSFORMS = Registry(
    "transform",
    calls={
        "__call__(clip, rng)": "dict(frames (T,H,W,3) uint8 RGB, masks (T,H,W) uint8), "
        "numpy.random.Generator -> dict of the same keys and shapes"
    },
    contract="one draw a clip; inputs are not written to",
    locations=["auralsam2.data.transforms.*"],
)
# Stages of training that are not part of the loop.
HOOKS = Registry(
    "hook",
    contract="mmengine Hook: overrides some of the stages of the Runner",
    locations=["auralsam2.engine.hooks.*", "auralsam2.mmengine_fixes"],
    parent=roots.HOOKS,
    base="mmengine.hooks:Hook",
)
# Where a run's numbers are shown beside its own log.
RUN_TRACKERS = Registry(
    "run_tracker",
    given=["save_dir", "labels"],
    contract="mmengine BaseVisBackend; may take labels (RunLabels) and have problems() -> words",
    locations=["auralsam2.engine.trackers"],
    parent=roots.VISBACKENDS,
    base="mmengine.visualization.vis_backend:BaseVisBackend",
)
# Scores of predicted masks.
METRICS = Registry(
    "metric",
    calls={
        "score_clip(mask_logits, masks)": "(T,H,W) both, frames that have a truth -> an outcome, "
        "None where the clip does not count",
        "clip_value(outcome)": "the clip's score, or None",
        "average(outcomes)": "those of all clips -> the data set's score",
    },
    contract=".key names the score, .bounds and .higher_is_better say what it can be; a "
    "ClassMetric has class_scores(counts) in place of score_clip",
    locations=["auralsam2.metrics.*"],
    parent=roots.METRICS,
    base="auralsam2.metrics.clip_metric:ClipMetric",
)
# Step rules of training; torch's are known by their class names.
OPTIMIZERS = Registry(
    "optimizer",
    given=["params"],
    calls={"step()": "one update", "zero_grad()": "forgets the gradients"},
    contract="a torch Optimizer",
    locations=["mmengine.optim"],
    parent=roots.OPTIMIZERS,
)
# Order in which clips are drawn.
DATA_SAMPLERS = Registry(
    "data sampler",
    given=["dataset", "seed"],
    calls={"__iter__()": "indices of clips"},
    contract="a torch Sampler",
    parent=roots.DATA_SAMPLERS,
)
# The image backbone with its mask decoder and memory.
BACKBONES = _part(
    "backbone",
    given=["image_size"],
    calls={
        "forward(frames)": "(B,T,3,S,S) normalised -> VisualPyramid of (B,T,C,4E,4E), "
        "(B,T,C,2E,2E), (B,T,C,E,E), or the last of them alone"
    },
    contract=".channels = C, .embedding_size = E, .image_size = S; .network, a Promptable; "
    ".size_multiple (default 1), which divides S; .has_memory (True), .num_levels (3) and "
    ".pixel_statistics (SAM2's) where they differ; .frozen unless its arguments say otherwise",
    locations=["auralsam2.models.backbones.*"],
)
# Frames to maps of four scales, for networks without SAM2.
IMAGE_ENCODERS = _part(
    "image encoder",
    given=["image_size"],
    calls={"forward(frames)": "(F,3,S,S) normalised -> (F,C_i,S/s,S/s), s = 4, 8, 16, 32"},
    contract=".channels, a tuple of the four C_i",
    locations=["auralsam2.models.image.*"],
)
# The sound of every second to one vector a frame.
AUDIO_ENCODERS = _part(
    "audio encoder",
    calls={"forward(log_mel)": "(B,T,A,96,64), or with a .waveform_rate R (B,T,A,R) -> (B,T,D)"},
    contract=".out_channels = D; channels, an argument: both, A = 2 ears that share weights and "
    "are concatenated, or mean, A = 1 ear; data sets give what it asks for",
    locations=["auralsam2.models.audio.*"],
)
# A referring expression to tokens that join the audio's.
TEXT_ENCODERS = _part(
    "text encoder",
    calls={"forward(text)": "B strings -> (B,K,D) hidden states"},
    contract=".out_channels = D; None = off",
    locations=["auralsam2.models.text.*"],
)
# Which levels of the pyramid are used, brought to one token grid.
PYRAMIDS = _part(
    "pyramid",
    given=["channels", "embedding_size"],
    calls={
        "forward(pyramid)": "VisualPyramid -> tuple of (B,T,N,C), one per used level, finest first"
    },
    contract=".num_levels",
    locations=["auralsam2.models.pyramid"],
)
# Self-attention over the visual tokens of one frame, before fusion.
VISUAL_ATTENTIONS = _part(
    "visual attention",
    given=["channels", "embedding_size", "depth"],
    calls={"forward(tokens)": "(B,T,N,C) -> (B,T,N,C), per frame"},
    locations=["auralsam2.models.attention"],
)
# Self-attention over the audio tokens of one clip, before fusion.
AUDIO_ATTENTIONS = _part(
    "audio attention",
    given=["channels", "depth"],
    calls={"forward(tokens)": "(B,M,C) -> (B,M,C), a sequence is a clip's tokens"},
    locations=["auralsam2.models.attention"],
)
# Exchange between the visual and the audio tokens of a level.
FUSIONS = _part(
    "fusion",
    given=["channels", "embedding_size"],
    calls={"forward(visual, audio)": "(B,T,N,C), (B,M,C) -> FusionOutput of the same shapes"},
    contract="never mixes clips; own arguments have defaults",
    locations=["auralsam2.models.fusion.*"],
)
# Fused audio to tokens of the mask decoder.
SPARSE_PROMPTS = _part(
    "sparse prompt",
    given=["channels"],
    calls={"forward(fused)": "(B,T,C) -> (B,T,C)"},
    contract="one per level; None = off",
    locations=["auralsam2.models.prompts"],
)
# Fused visual tokens to the image embedding that the mask decoder reads.
DENSE_PROMPTS = _part(
    "dense prompt",
    given=["channels"],
    calls={"forward(fused)": "(B,T,N,C) -> (B,T,N,C)"},
    contract="one per level; None = off",
    locations=["auralsam2.models.prompts"],
)
# Both modalities into the contrastive space.
PROJECTORS = _part(
    "projector",
    given=["channels"],
    calls={
        "visual(tokens)": "(B,T,N,C) -> (B,T,N,D), unit length over .visual_axis",
        "audio(tokens)": "(B,T,C) -> (B,T,D), unit length over D",
    },
    contract=".visual_source, the field of FuserOutput that visual reads",
    locations=["auralsam2.models.projector"],
)
# Supervision of the decoder's masks.
MASK_LOSSES = _part(
    "mask loss",
    calls={
        "forward(prediction, masks, supervised)": "Prediction, (B,T,S,S) float 0/1, (B,T) bool -> "
        "dict of weighted scalars, loss_mask among them"
    },
    contract=".native (default False): masks are B tensors (T,H,W) of the clips' own sizes; "
    ".of_classes (default False): they are numbers of classes, 255 where nothing is labelled, and "
    "compared with Prediction.class_logits",
    locations=["auralsam2.losses.*"],
)
# Supervision of the contrastive space.
CONTRASTIVE_LOSSES = _part(
    "contrastive loss",
    calls={
        "forward(embeddings, mask_logits, masks, supervised, generator)": "Embeddings, "
        "(B,T,4E,4E), (B,T,S,S), (B,T), torch.Generator -> dict(loss_contrastive)"
    },
    contract="None = off",
    locations=["auralsam2.losses.*"],
)
# Where in the mask decoder prompts enter.
INJECTIONS = Registry(
    "injection",
    calls={
        "dense_levels(num_levels)": "level, or None, of each decoder site",
        "added_levels(num_levels)": "likewise",
        "appended_levels(num_levels)": "levels that become tokens",
        "token_mask(num_tokens, device)": "(K,) 0/1",
        "token_position(tokens, injected)": "their positional code, (B,K,C) all three",
    },
    locations=["auralsam2.models.injection"],
)
# How masks travel through a clip.
TRACKERS = _part(
    "tracker",
    calls={
        "forward(network, pyramid, prompts, injection)": "the backbone's network, VisualPyramid, "
        "Prompts, injection -> Prediction of T frames",
        "conditioning_frame(num_frames)": "index of the one that is decoded first",
    },
    contract="conditioning frame and memory are its policy; .use_memory off: one call for all",
    locations=["auralsam2.models.tracking"],
)
# Named objects in frames, for methods that translate sound to a prompt.
DETECTORS = _part(
    "detector",
    given=["channels", "num_classes"],
    calls={
        "forward(pyramid, clip, frames, heard)": "VisualPyramid, B names, (B,T,3,S,S), (B,T,K) "
        "bool of use -> Detections of boxes (B,T,D,4), labels (B,T,D), scores (B,T,D)",
        "losses(pyramid, clip, evidence)": "the same and Evidence -> dict of scalars, (B,T,K) how "
        "sure it is of each class in the mask",
    },
    locations=["auralsam2.models.detection.*"],
)
# What is heard, for methods that translate sound to a prompt.
SOUND_CLASSIFIERS = _part(
    "sound classifier",
    given=["num_classes"],
    calls={"forward(log_mel, clip, waveform)": "log-mels, B names, B sounds -> (B,T,K) logits"},
    locations=["auralsam2.models.sound.*"],
)

REGISTRIES: dict[str, Registry] = {
    registry.config_key: registry
    for registry in list(vars().values())
    if type(registry) is Registry
}


for _own in REGISTRIES.values():
    if _own.parent is not None:  # the same as the Runner sees it, below the root it builds from
        _seen = roots.Registry(_own.name, parent=_own.parent, scope=SCOPE)
        _seen._module_dict, _seen.import_from_location = _own.module_dict, _own.import_from_location

# Under default_scope="auralsam2" the Runner looks for a child of every root it builds from and
# warns at each build where there is none.
for _root in (
    *(roots.RUNNERS, roots.LOOPS, roots.MODEL_WRAPPERS, roots.OPTIM_WRAPPERS),
    *(roots.OPTIM_WRAPPER_CONSTRUCTORS, roots.PARAM_SCHEDULERS, roots.EVALUATOR),
    *(roots.VISUALIZERS, roots.LOG_PROCESSORS, roots.FUNCTIONS),
    *(roots.WEIGHT_INITIALIZERS, roots.STRATEGIES, roots.RUNNER_CONSTRUCTORS),
):
    roots.Registry(_root.name, parent=_root, scope=SCOPE)
