"""The method: its parts, each registered on its own ablation axis, and the model that owns them."""
