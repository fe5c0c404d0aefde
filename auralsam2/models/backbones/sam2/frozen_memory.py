"""SAM2's memory over clips whose network is frozen: what is known before is computed once.

Every memory is projected once for all layers and all later frames; no graph is kept but that of the
object pointers, the only way for a gradient from one frame to another, as masks enter memory as 0
and 1. The numbers are those of :class:`~auralsam2.models.backbones.sam2.memory.ClipMemory` up to
rounding. Axes: B clips, T frames, N = E * E positions, C channels, D those of a memory, P tokens of
an object pointer, L layers.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from sam2.modeling.memory_attention import MemoryAttentionLayer
from sam2.modeling.sam2_base import SAM2Base
from sam2.modeling.sam2_utils import get_1d_sine_pe
from torch import Tensor, nn
from torch.nn import functional as F

from auralsam2.models.linear import linear

Weights = tuple[Tensor, Tensor]


class LayerConstants(NamedTuple):
    """Of one layer of the memory attention; channels of queries and keys: even ones, then odd."""

    qkv: Weights  # (3 C, C) of the self-attention, and bias
    query: Weights  # of the cross-attention
    spatial: Tensor  # (num_maskmem, N, C) rotated codes of a memory's keys, by its place in time


class MemoryConstants(NamedTuple):
    """Made of the network's weights."""

    layers: list[LayerConstants]
    memory: Weights  # (2 L C, D): keys, then values of every layer
    cosine: Tensor  # (N, C) of the rotary code
    sine: Tensor  # (N, C), negative in the first half
    position: Tensor  # (N, C) code of the coarsest map


def can_remember(network: SAM2Base) -> bool:
    """Whether a network's settings are those of the published ones, for which this is written."""
    attention = network.memory_attention
    return (
        network.num_maskmem > 0
        and network.use_obj_ptrs_in_encoder
        and network.directly_add_no_mem_embed
        and network.binarize_mask_from_pts_for_mem_enc
        and not network.non_overlap_masks_for_mem_enc
        and network.memory_temporal_stride_for_eval == 1
        and network.mem_dim < network.hidden_dim
        and attention.pos_enc_at_input
        and attention.batch_first
        and all(_is_published(layer) for layer in attention.layers)
    )


def _is_published(layer: MemoryAttentionLayer) -> bool:
    return (
        layer.pos_enc_at_cross_attn_keys
        and not layer.pos_enc_at_attn
        and not layer.pos_enc_at_cross_attn_queries
        and layer.self_attn.num_heads == layer.cross_attn_image.num_heads == 1
    )


def memory_constants(network: nn.Module) -> MemoryConstants:
    """Constants of a network that :func:`can_remember`."""
    assert isinstance(network, SAM2Base)
    e = network.sam_image_embedding_size
    layers = network.memory_attention.layers
    like = layers[0].norm1.weight
    cis = layers[0].self_attn.compute_cis(end_x=e, end_y=e).to(like.device)
    cosine = torch.cat([cis.real, cis.real], dim=1).to(like.dtype)
    sine = torch.cat([-cis.imag, cis.imag], dim=1).to(like.dtype)
    probe = like.new_empty(1, 1, e, e)
    code = network.memory_encoder.position_encoding(probe)[0].flatten(1).t().to(like.dtype)
    places = code + network.maskmem_tpos_enc[:, 0]  # (num_maskmem, N, D)
    cross = [layer.cross_attn_image for layer in layers]
    keys = [_halved(attention.k_proj) for attention in cross]
    values = [(attention.v_proj.weight, attention.v_proj.bias) for attention in cross]
    own = network.image_encoder.neck.position_encoding(probe)[0].flatten(1).t().to(like.dtype)
    return MemoryConstants(
        layers=[
            LayerConstants(
                qkv=_stacked(
                    _halved(layer.self_attn.q_proj),
                    _halved(layer.self_attn.k_proj),
                    (layer.self_attn.v_proj.weight, layer.self_attn.v_proj.bias),
                ),
                query=_halved(layer.cross_attn_image.q_proj),
                spatial=rotate(F.linear(places, key[0]), cosine, sine),
            )
            for layer, key in zip(layers, keys, strict=True)
        ],
        memory=_stacked(*keys, *values),
        cosine=cosine,
        sine=sine,
        position=own,
    )


def _halved(projection: nn.Linear) -> Weights:
    """Weights whose even output channels come first: a product of queries and keys is the same."""
    order = torch.arange(len(projection.weight), device=projection.weight.device)
    order = torch.cat([order[::2], order[1::2]])
    return projection.weight[order], projection.bias[order]


def _stacked(*parts: Weights) -> Weights:
    return torch.cat([weight for weight, _ in parts]), torch.cat([bias for _, bias in parts])


def rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotary code of (..., C) whose first half are the real parts, the second the imaginary."""
    return x * cosine + x.roll(x.shape[-1] // 2, dims=-1) * sine


class FrozenClipMemory:
    """Memory bank of B clips of T frames each, one of which is the conditioning frame.

    Args:
        network: untouched, see :func:`can_remember`.
        constants: of it.
        coarse: (B, T, C, E, E) coarsest maps.
        conditioning: that frame.
    """

    def __init__(
        self, network: SAM2Base, constants: MemoryConstants, coarse: Tensor, conditioning: int
    ) -> None:
        self.network, self.constants, self.conditioning = network, constants, conditioning
        self.tokens = coarse.flatten(3).transpose(2, 3).contiguous()  # (B, T, N, C)
        self.num_frames = coarse.shape[1]
        self._keys: dict[int, Tensor] = {}  # (B, N, L, C) of the memories, rotated, time apart
        self._values: dict[int, Tensor] = {}  # (B, N, L, C)
        self._pointers: dict[int, Tensor] = {}  # (B, P, 2, L, C) keys and values

    def without_memory(self, frame: int) -> Tensor:
        """(B, N, C) features of a frame that sees no memory."""
        features: Tensor = self.tokens[:, frame] + self.network.no_mem_embed[0]
        return features

    def condition(self, frame: int) -> Tensor:
        """(B, N, C) features of a frame, conditioned on the memories stored so far."""
        spatial, pointers = self._read_by(frame)
        attention = self.network.memory_attention
        x = self.tokens[:, frame] + 0.1 * self.constants.position
        for index, (layer, own) in enumerate(
            zip(attention.layers, self.constants.layers, strict=True)
        ):
            x = self._attend_to_itself(layer, own, x)
            query = linear(_norm(layer.norm2, x), *own.query)
            query = rotate(query, self.constants.cosine, self.constants.sine)
            keys = [self._keys[t][:, :, index] + own.spatial[place] for t, place in spatial]
            values = [self._values[t][:, :, index] for t, _ in spatial]
            keys += [self._pointers[t][:, :, 0, index] + code[index] for t, code in pointers]
            values += [self._pointers[t][:, :, 1, index] for t, _ in pointers]
            read = _attend(query, torch.cat(keys, dim=1), torch.cat(values, dim=1))
            out = layer.cross_attn_image.out_proj
            x = x + linear(read, out.weight, out.bias)
            hidden = layer.activation(
                linear(_norm(layer.norm3, x), layer.linear1.weight, layer.linear1.bias)
            )
            x = x + linear(hidden, layer.linear2.weight, layer.linear2.bias)
        return _norm(attention.norm, x)

    def store(
        self, frame: int, mask_logits: Tensor, pointer: Tensor, score: Tensor, is_conditioning: bool
    ) -> None:
        """Encode a frame's best mask and keep it with its object pointer.

        Args:
            frame: its index.
            mask_logits: (B, 1, S, S).
            pointer: (B, C).
            score: (B, 1) object score.
            is_conditioning: whether it is the conditioning frame, which is known here.
        """
        assert is_conditioning == (frame == self.conditioning)
        layers, channels = len(self.constants.layers), self.tokens.shape[-1]
        weight, bias = self.constants.memory
        with torch.no_grad():
            memory = self._encode(frame, mask_logits, score)  # (B, N, D)
            both = linear(memory, weight, bias).unflatten(-1, (2, layers, channels))
            cosine, sine = self.constants.cosine[:, None], self.constants.sine[:, None]
            self._keys[frame] = rotate(both[:, :, 0], cosine, sine)
            self._values[frame] = both[:, :, 1]
        parts = pointer.unflatten(1, (-1, self.network.mem_dim))  # (B, P, D)
        self._pointers[frame] = F.linear(parts, weight, bias).unflatten(-1, (2, layers, channels))

    def _attend_to_itself(
        self, layer: MemoryAttentionLayer, own: LayerConstants, x: Tensor
    ) -> Tensor:
        """(..., N, C) plus what its self-attention gives."""
        parts = linear(_norm(layer.norm1, x), *own.qkv).unflatten(-1, (3, -1))
        both = rotate(
            parts[..., :2, :], self.constants.cosine[:, None], self.constants.sine[:, None]
        )
        read = _attend(both[..., 0, :], both[..., 1, :], parts[..., 2, :])
        out = layer.self_attn.out_proj
        return x + linear(read, out.weight, out.bias)

    def _read_by(self, frame: int) -> tuple[list[tuple[int, int]], list[tuple[int, Tensor]]]:
        """Frames whose memory a frame reads, with their place in time, and those whose pointer.

        Places and codes are upstream's: the conditioning frame has a place of its own.
        """
        network, conditioning = self.network, self.conditioning
        last = network.num_maskmem - 1
        spatial = [(conditioning, last)]
        for steps in range(last, 0, -1):
            if frame - steps in self._keys and frame - steps != conditioning:
                spatial.append((frame - steps, steps - 1))
        most = min(self.num_frames, network.max_obj_ptrs_in_encoder)
        distances = {}
        if conditioning <= frame or not network.only_obj_ptrs_in_the_past_for_eval:
            signed = frame - conditioning
            distances[conditioning] = (
                signed if network.use_signed_tpos_enc_to_obj_ptrs else abs(signed)
            )
        for steps in range(1, most):
            if frame - steps in self._pointers and frame - steps != conditioning:
                distances[frame - steps] = steps
        return spatial, [(t, self._code(distance, most)) for t, distance in distances.items()]

    def _code(self, distance: int, most: int) -> Tensor:
        """(L, C) what the distance in time adds to the keys of a pointer."""
        network, channels = self.network, self.tokens.shape[-1]
        layers = len(self.constants.layers)
        if not network.add_tpos_enc_to_obj_ptrs:
            return self.tokens.new_zeros(layers, channels)
        width = channels if network.proj_tpos_enc_in_obj_ptrs else network.mem_dim
        with torch.no_grad():
            # Made on the device: a number that is copied there waits for all that goes on.
            place = torch.full((1,), distance / (most - 1), device=self.tokens.device)
            code = network.obj_ptr_tpos_proj(get_1d_sine_pe(place, dim=width))
            weight = self.constants.memory[0][: layers * channels]
            return F.linear(code.to(weight.dtype), weight).view(layers, channels)

    def _encode(self, frame: int, mask_logits: Tensor, score: Tensor) -> Tensor:
        """(B, N, D) memory of a mask."""
        network, side = self.network, self.network.sam_image_embedding_size
        masks = (mask_logits > 0).to(self.tokens.dtype)
        masks = masks * network.sigmoid_scale_for_mem_enc + network.sigmoid_bias_for_mem_enc
        maps = self.tokens[:, frame].transpose(1, 2).unflatten(2, (side, side))
        encoded = network.memory_encoder(maps, masks, skip_mask_sigmoid=True)
        memory: Tensor = encoded["vision_features"].flatten(2).transpose(1, 2)
        if network.no_obj_embed_spatial is not None:
            absent = (score <= 0).to(memory.dtype)  # (B, 1)
            memory = memory + absent[..., None] * network.no_obj_embed_spatial
        return memory


def _attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """One head, (..., N, C) each."""
    lead = query.shape[:-2]
    parts = (x.reshape(-1, 1, *x.shape[-2:]) for x in (query, key, value))
    return F.scaled_dot_product_attention(*parts).view(*lead, *query.shape[-2:])


def _norm(layer: nn.LayerNorm, x: Tensor) -> Tensor:
    return F.layer_norm(x, layer.normalized_shape, layer.weight, layer.bias, layer.eps)
