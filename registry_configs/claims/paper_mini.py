"""What the AuralSAM2 paper (arXiv 2506.01015) asserts, of the arms that `make paper-demo` trains.

The same sentences as in ``claims/auralsam2.py``, as far as these arms can speak of them: a small
network, synthetic clips and two seeds. ``inferred`` marks what the paper's design implies and what
we did not find asserted in these words.
"""

title = "Claims of the AuralSAM2 paper, on its small arms"

_intro, _method, _experiments = "section 1", "section 3", "section 4"


def _beats(sentence: str, other: str, source: str, **more: object) -> dict:
    return dict(
        type="Beats", sentence=sentence, cell="AuralSAM2", other=other, source=source, **more
    )


_listens = dict(type="ListensBy", cell="AuralSAM2", source=_intro, inferred=True)
_clicked = dict(split="test_clicks_3", inferred=True)

claims = [
    _beats("Audio prompts let a frozen SAM2 segment what sounds", "no prompt", _intro),
    dict(sentence="The masks follow the sound: with another clip's they are worse", **_listens),
    dict(
        sentence="The masks follow the sound: in silence they are worse",
        sound="silence",
        **_listens,
    ),
    _beats(
        "A prompt that enters the decoder once is diluted: injected at every site it is worth more",
        "single injection",
        _intro,
    ),
    _beats(
        "An external fuser segments what sounds better than a single audio token",
        "audio token",
        _intro,
        inferred=True,
    ),
    _beats(
        "SAM2 stays promptable: clicks beside the sound improve the masks",
        "AuralSAM2",
        _intro,
        other_split="test_clicks_0",
        **_clicked,
    ),
    _beats(
        "With the same three clicks, sound beside them is worth more than none",
        "no prompt",
        _intro,
        other_split="test_clicks_3_unheard",
        **_clicked,
    ),
    _beats(
        "Levels of a pyramid at their own sites beat one level that is repeated",
        "one level repeated",
        f"{_method}.2",
    ),
    _beats(
        "AudioCon aligns sound and pixels so that masks improve", "no contrastive loss", _method
    ),
    _beats("AudioCon beats InfoNCE", "InfoNCE", _experiments),
]
