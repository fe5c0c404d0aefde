"""What do the figures of a paper need? The arms of dilution, of the audio-visual space, of the lines.

`make paper-demo` trains these arms and makes everything that `figures/paper` states. Single injection
tells a prompt that enters once from one that enters at every site; one level repeated tells
repetition from the pyramid.
"""

base = "auralsam2/mini_v1m"
title = "Arms of the figures"

_sites, _loss = "model.injection.sites", "model.contrastive_loss"
_clicked = {"evaluation.clicks": 3}

axes = dict(
    arm=[
        dict(name="box prompt", config="methods/prompted_mini_v1m", set={}),
        dict(name="no prompt", config="methods/unprompted_mini_v1m", set=_clicked),
        dict(name="audio token", config="methods/gavs_mini_v1m", set={}),
        dict(name="AuralSAM2", set=_clicked),
        dict(name="single injection", set={_sites: ("block1",)}),
        dict(name="one level repeated", set={"model.injection.repeat_level": -1}),
        dict(name="InfoNCE", set={_loss: dict(type="InfoNCELoss", weight=0.1)}),
        # Weight zero and not None: the projector is there, untrained, so that points can be drawn.
        dict(name="no contrastive loss", set={f"{_loss}.weight": 0.0}),
    ]
)
# One epoch less than the base, so that the whole paper is made in a quarter of an hour.
overrides = {"optim.epochs": 4, "evaluation.counterfactuals": ["silence", "swapped"]}
seeds = [0, 1]
reference = "AuralSAM2"
