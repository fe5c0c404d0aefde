"""How sharp should the contrastive space be? The temperature of AudioCon around its 0.1."""

base = "auralsam2/published/v1m"
title = "Temperature of AudioCon"

axes = {"model.contrastive_loss.temperature": [0.03, 0.07, 0.1, 0.2, 0.5]}
seeds = [0, 1, 2]
reference = "temperature=0.1"
bases = {"auralsam2/mini_v1m": dict(seeds=[0, 1])}
