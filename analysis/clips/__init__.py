"""Single clips: the masks of a run, which clips are worth a look, their sound."""
