"""Random transforms of whole clips.

SAM2's training, which the method follows, lists in this order: ``RandomClipFlip()``,
``RandomClipAffine()``, ``ClipColourJitter()``, ``RandomClipGrey()`` and
``ClipColourJitter(contrast=0.05, saturation=0.05, per_frame=True)``. The released code names both
jitters, but throws away what they compute: its list is the same without them.
"""
