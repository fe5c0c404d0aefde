"""Audio encoders of transformers from a local folder, which hear samples; never downloaded.

Axes: B clips, T frames of one second, A ears, R samples a second, N sounds, S tokens of one sound,
K tokens a second, C channels of an ear.
"""

from __future__ import annotations

import hashlib
import logging
import os
from abc import abstractmethod
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from auralsam2.models.audio.ears import EarEncoder
from auralsam2.models.cached_encoder import CachedEncoder
from auralsam2.models.feature_cache import FeatureStore
from auralsam2.models.weights.folder import (
    check_size,
    load_folder,
    of_transformers,
    random_model,
    read_config,
    reading,
)
from auralsam2.models.weights.loading import Tolerance
from auralsam2.shapes import check_shape
from auralsam2.weight_files import folder_problems

CONFIG_KEY = "model.audio_encoder.weights"
INSTEAD = (
    " (or set `model.audio_encoder.random_weights` to True to go without, on purpose, or take "
    "VGGish or LogMelCNN)"
)
FRONT_ENDS = ("preprocessor_config.json", "processor_config.json")
"""Files of a folder that may state its front end."""
Fields = Mapping[str, Any]


class TransformersEar(CachedEncoder, EarEncoder):
    """A model of transformers that hears each frame's second by itself.

    The model is given the second, or ``context_s`` seconds with it in their middle, through the
    front end that it was trained with. What it says of the second's own time is averaged to one
    vector, or to ``tokens`` in order of time. Trained or not, it stays in eval mode: dropout and
    masking of a model that is tuned gently would draw from global generators.

    A frozen encoder hears every clip once in a process, see :class:`CachedEncoder`.

    Args:
        weights: folder of the model: ``config.json``, its weights, and the file of its front end,
            in whose absence that of the published model is taken. Never downloaded.
        frozen: no gradient.
        random_weights: go without weights, for tests, controls and dry runs; they are the same
            ones every time. Of ``weights`` then only ``config.json`` is read.
        size: of random weights without a folder: ``mini``, or ``published``.
        context_s: seconds that the model hears around each second's middle, from 1 on; beyond the
            clip's ends it is silent.
        tokens: K. A method that reads tokens (AuralSAM2) gets them behind those of the frames,
            which are their means, as it gets words: every frame sees those of all seconds.
        cache: see :class:`CachedEncoder`.
        channels: see :class:`EarEncoder`.

    Attributes:
        out_channels: D = A * C.

    Raises:
        FileNotFoundError: where the folder does not exist, before anything is built.
        ImportError: where transformers is missing, or too old.
        ValueError: listing arguments that are out of range; where the folder holds another model,
            its files are damaged, or its front end has another rate.
    """

    waveform_rate: ClassVar[int]  # R; data sets give so many samples
    published: ClassVar[str]  # name of a published folder
    model_types: ClassVar[tuple[str, ...]]  # of folders, as their config.json has it
    config_class: ClassVar[str]  # in transformers
    model_class: ClassVar[str]
    front_end_class: ClassVar[str]
    width_field: ClassVar[str] = "hidden_size"  # of the config, that is C
    mini: ClassVar[Fields]  # fields of the small build's config
    real: ClassVar[Fields] = {}  # of the published one's, where it is not the class's default
    renamed: ClassVar[Mapping[str, str]] = {}  # pattern of a folder's names -> what stands for it
    unused: ClassVar[tuple[str, ...]] = ()  # prefixes of weights that no output hangs on
    store: ClassVar[FeatureStore] = FeatureStore()
    # An ear's vectors of ten seconds of width 768 weigh 31 kB: 35,000 of them.
    budget_mb = 1024

    def __init__(
        self,
        weights: str | os.PathLike[str] | None = None,
        frozen: bool = True,
        random_weights: bool = False,
        size: str = "mini",
        context_s: float = 1.0,
        tokens: int = 1,
        cache: bool = True,
        channels: str = "both",
    ) -> None:
        super().__init__(frozen, cache, channels=channels)
        if found := self.problems(weights, random_weights):
            raise FileNotFoundError("\n".join(found))
        folder = None if weights is None else Path(os.path.expanduser(weights)).resolve()
        config = self._config(folder, size)
        front_end = self._front_end(folder, config)
        self.context_s, self.tokens = context_s, tokens
        if wrong := self._misfits(front_end, config):
            raise ValueError(f"{type(self).__name__}: " + "; ".join(wrong))
        self.front_end: Any = front_end
        self.network: Any = self._build(folder, config, random_weights)
        fixed = [p for p in self.network.parameters() if not p.requires_grad]
        fixed += [p for n, p in self.network.named_parameters() if n.startswith(self.unused)]
        self.out_channels = self.num_ears * int(getattr(config, self.width_field))
        self.freeze()
        for parameter in fixed:
            parameter.requires_grad_(False)

    @classmethod
    def problems(
        cls,
        weights: str | os.PathLike[str] | None = None,
        random_weights: bool = False,
        **_: object,
    ) -> list[str]:
        """What stands in the way of building, found without building."""
        if random_weights and weights is None:
            return []
        return folder_problems(weights, cls.published, CONFIG_KEY, INSTEAD)

    def _config(self, folder: Path | None, size: str) -> Any:
        """Of the part of a model that hears."""
        name = type(self).__name__
        check_size(size, name)
        if folder is None:
            fields = self.mini if size == "mini" else self.real
            return of_transformers(self.config_class, name)(**fields)
        config = read_config(folder, name, self.model_types, self.published)
        while hasattr(config, "audio_config"):
            config = config.audio_config
        return config

    def _front_end(self, folder: Path | None, config: Any) -> Any:
        name = type(self).__name__
        kind = of_transformers(self.front_end_class, name)
        if folder is None:
            return kind(**self.front_end_fields(config))
        if not any((folder / file).is_file() for file in FRONT_ENDS):
            text = "%s: '%s' has no %s; it hears through the published model's front end"
            logging.getLogger(__name__).warning(text, name, folder, FRONT_ENDS[0])
            return kind(**self.front_end_fields(config))
        with reading(folder, name):
            return kind.from_pretrained(folder, local_files_only=True)

    def _misfits(self, front_end: Any, config: Any) -> list[str]:
        """What is wrong with arguments and front end."""
        found, rate = [], front_end.sampling_rate
        if rate != self.waveform_rate:
            found.append(f"the front end hears {rate} samples a second, not {self.waveform_rate}")
        longest = self.longest_s(front_end, config)
        if not 1 <= self.context_s <= longest:
            found.append(f"context_s must be from 1 to {longest:g}, got {self.context_s}")
        most = int(self.tokens_a_second(config) or 1)
        if not 1 <= self.tokens <= most:
            found.append(f"tokens must be from 1 to {most}, got {self.tokens}")
        return found

    def _build(self, folder: Path | None, config: Any, random_weights: bool) -> Any:
        name = type(self).__name__
        model = self._kind()
        if folder is None or random_weights:
            return random_model(model, config).eval()
        lacking = Tolerance(optional=self.unused)
        given = {"config": config, "key_mapping": dict(self.renamed)}
        return load_folder(model, folder, name, self.model_class, lacking, **given)

    def _kind(self) -> Any:
        """The class of the network."""
        return of_transformers(self.model_class, type(self).__name__)

    @abstractmethod
    def front_end_fields(self, config: Any) -> dict[str, Any]:
        """Of the published model's front end, at the sizes of a config."""

    def longest_s(self, front_end: Any, config: Any) -> float:
        """Seconds that the model can hear at once."""
        return float("inf")

    def tokens_a_second(self, config: Any) -> float | None:
        """Of what :meth:`hidden` gives, in order of time; None where it is one of the whole."""
        return None

    def hidden(self, inputs: dict[str, Tensor]) -> Tensor:
        """What the model says of N sounds, (N, S, C)."""
        said: Tensor = self.network(**inputs).last_hidden_state
        return said

    def inputs(self, sounds: Tensor) -> dict[str, Tensor]:
        """(N, L) samples of equal length through the front end, which computes on the CPU."""
        arrays = list(sounds.float().cpu().numpy())
        batch = self.front_end(arrays, sampling_rate=self.waveform_rate, return_tensors="pt")
        name = self.front_end.model_input_names[0]
        return {name: batch[name].to(sounds.device, torch.float32)}

    def encode(self, ears: Tensor) -> Tensor:
        """(E, T, R) samples of E ears -> (E, T, K, C)."""
        beside = round((self.context_s - 1) / 2 * self.waveform_rate)
        whole = F.pad(ears.flatten(1), (beside, beside))
        sounds = whole.unfold(1, self.waveform_rate + 2 * beside, self.waveform_rate)
        said = self.hidden(self.inputs(sounds.flatten(0, 1)))  # (E * T, S, C)
        parts = said[:, self._own(said.shape[1])].tensor_split(self.tokens, dim=1)
        tokens = torch.stack([part.mean(dim=1) for part in parts], dim=1)
        return tokens.unflatten(0, ears.shape[:2])

    def _own(self, length: int) -> slice:
        """Which tokens of a sound are those of the second in its middle."""
        rate = self.tokens_a_second(self.network.config)
        if rate is None:
            return slice(None)
        start = round((self.context_s - 1) / 2 * rate)
        return slice(start, min(length, start + max(self.tokens, round(rate))))

    def identity(self) -> Hashable:
        """Config, front end, context and K."""
        stated = self.network.config.to_json_string(), self.front_end.to_json_string()
        return *stated, self.context_s, self.tokens

    def hear(self, log_mel: Tensor) -> Tensor:
        """(B, T, A, R) samples -> (B, T, K, D), ear 0 first.

        Raises:
            ValueError: where they are not samples at the encoder's rate, of as many ears.
        """
        name = f"the sound of {type(self).__name__}, which hears samples,"
        check_shape(log_mel, f"B T {self.num_ears} {self.waveform_rate}", name=name)
        ears = log_mel.transpose(1, 2)  # (B, A, T, R)
        shape = ears.shape[:2]
        tokens = (self._heard_once if self.frozen else self.encode)(ears.flatten(0, 1))
        return tokens.unflatten(0, shape).permute(0, 2, 3, 1, 4).flatten(3)

    def _heard_once(self, ears: Tensor) -> Tensor:
        """:meth:`encode`, one ear of one clip after the other."""
        said = []
        for ear in ears:
            samples = ear.contiguous().float().cpu().numpy().tobytes()
            content = len(ear), hashlib.blake2b(samples).digest()
            said += self.read_alone(content, ear.device, lambda ear=ear: [self.encode(ear[None])])
        return torch.cat(said)

    def forward(self, log_mel: Tensor) -> Tensor:
        """(B, T, A, R) samples -> (B, T, D), ear 0 first; the mean of a second's tokens."""
        return self.hear(log_mel).mean(dim=2)

    def train(self, mode: bool = True) -> TransformersEar:
        """Switch the mode; the network stays in eval mode."""
        super().train(mode)
        self.network.eval()
        return self
