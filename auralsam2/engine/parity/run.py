"""All groups of fixtures that a folder holds, of the method's release and of rivals' releases."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from auralsam2.engine.parity.audio import check_audio, check_avsbench_audio
from auralsam2.engine.parity.avsegformer import (
    check_avsegformer_head,
    check_avsegformer_losses,
)
from auralsam2.engine.parity.compare import NOT_GIVEN, Row, failure
from auralsam2.engine.parity.eemc import check_cues, check_query, check_read_out
from auralsam2.engine.parity.fixtures import FACTS, SUFFIX, FixtureError, Fixtures
from auralsam2.engine.parity.fuser import check_avs, check_fusion, check_keys, check_ref
from auralsam2.engine.parity.gavs import check_gavs_decoder, check_gavs_encoder
from auralsam2.engine.parity.losses import check_contrastive, check_mask_loss
from auralsam2.engine.parity.metrics import check_metrics
from auralsam2.engine.parity.rival_metrics import check_rival_metrics
from auralsam2.engine.parity.sam2 import check_decoder, check_tracking
from auralsam2.engine.parity.sama import check_sama_encoder, check_sama_loss
from auralsam2.engine.parity.tpavi import check_block, check_losses, check_network, check_pvt
from auralsam2.engine.parity.translation import check_translation
from auralsam2.registry import load_all


class Group(NamedTuple):
    """One kind of fixture."""

    name: str  # what users call it; no two groups share one
    # Compares with the expected numbers, given the tensors of the files that it needs besides.
    check: Callable[..., Iterator[Row]]
    needs: tuple[str, ...] = ()
    file: str = ""  # that holds the expected numbers, where it is not called as the group is
    tensors: bool = True  # whether there is such a file beside the facts
    # A key of the facts by which files of the same name and another content are told apart.
    told_by: str = ""

    @property
    def stem(self) -> str:
        """Name of the files that hold the expected numbers."""
        return self.file or self.name

    def is_in(self, fixtures: Fixtures) -> bool:
        """Whether a folder holds it.

        Facts that cannot be read, or are of neither kind, are of all groups of that file: their
        checks say what is wrong.
        """
        name = self.stem
        if not (fixtures.has(name) or fixtures.path(name, FACTS).is_file()):
            return False
        kinds = {group.told_by for group in GROUPS if group.stem == name}
        try:
            kinds &= fixtures.facts(name).keys() if self.told_by else set()
        except FixtureError:
            return True
        return not kinds or self.told_by in kinds


GROUPS = (
    Group("fuser_avs", check_avs, ("fuser_weights", "fuser_inputs")),
    Group("fuser_ref", check_ref, ("fuser_weights", "fuser_inputs", "fuser_ref_weights_delta")),
    Group("fusion_module", check_fusion, ("fusion_module_weights",)),
    Group("mask_decoder", check_decoder, ("mask_decoder_weights",)),
    Group("contrastive", check_contrastive),
    Group("training_loss", check_mask_loss),
    Group("metrics", check_metrics, told_by="order"),
    Group("audio_features", check_audio),
    Group(
        "tracking",
        check_tracking,
        ("tracking_weights", "mask_decoder_weights", "fuser_inputs", "fuser_avs"),
    ),
    Group("checkpoint_keys", check_keys, tensors=False),
    # Rivals' releases, a file of checks a method.
    Group("rival_metrics", check_rival_metrics, file="metrics", told_by="cases"),
    Group("gavs_decoder", check_gavs_decoder),
    Group("gavs_encoder", check_gavs_encoder),
    Group("sama_encoder", check_sama_encoder),
    Group("sama_loss", check_sama_loss),
    Group("avsbench_audio", check_avsbench_audio),
    Group("translation", check_translation),
    Group("avsbench_pvt", check_pvt),
    Group("refavs_fusion", check_cues),
    Group("refavs_query", check_query),
    Group("refavs_readout", check_read_out),
    Group("avsbench_tpavi", check_block),
    Group("avsbench_network", check_network),
    Group("avsbench_losses", check_losses),
    Group("avsegformer_head", check_avsegformer_head),
    Group("avsegformer_losses", check_avsegformer_losses),
)


def present(folder: Path, only: Sequence[str] = ()) -> list[Group]:
    """Groups, all or ``only`` some, whose file of expected numbers is in the folder.

    Raises:
        FileNotFoundError: where there is no such folder, or no fixture in it.
        ValueError: where ``only`` names an unknown group.
    """
    known = [group.name for group in GROUPS]
    unknown = [name for name in only if name not in known]
    if unknown:
        raise ValueError(f"unknown fixture(s) {', '.join(unknown)}; known: {', '.join(known)}")
    fixtures = Fixtures(folder)
    held = [group for group in GROUPS if group.is_in(fixtures)]
    found = [group for group in held if not only or group.name in only]
    if found:
        return found
    if held:
        names = ", ".join(group.name for group in held)
        raise FileNotFoundError(
            f"nothing to check in '{folder}': it has no {', '.join(only)}; it has {names}"
        )
    files = ", ".join(dict.fromkeys(group.stem for group in GROUPS))
    raise FileNotFoundError(
        f"nothing to check in '{folder}': wanted NAME{SUFFIX} and NAME{FACTS}, NAME being one of "
        f"{files}"
    )


def check_group(folder: Path, group: Group) -> list[Row]:
    """All comparisons of a group; one failed row where it cannot be compared at all."""
    load_all()
    fixtures = Fixtures(folder)
    missing = [name for name in group.needs if not fixtures.has(name)]
    if missing:
        return [_failed(group, "(files)", f"needs {', '.join(missing)}, not in the folder")]
    rows: list[Row] = []
    try:
        expected = fixtures.expected(group.stem, group.tensors)
        for row in group.check(expected, *map(fixtures.tensors, group.needs)):
            if row is not NOT_GIVEN:
                rows.append(row._replace(fixture=group.name))
    except (AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        # A fixture of another schema must fail its own rows, not the check of the others.
        rows.append(_failed(group, "(schema)", f"{type(error).__name__}: {error}"))
    return rows or [_failed(group, "(empty)", "the fixture holds nothing to compare")]


def _failed(group: Group, tensor: str, note: str) -> Row:
    return failure(tensor, note)._replace(fixture=group.name)
