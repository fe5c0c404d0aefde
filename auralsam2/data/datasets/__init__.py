"""Data sets: readers of clips with their indices, and what stands around another data set.

The registry imports them at the first look-up, rather than this package: who only reads an index,
as the processes that write and check clips, need not load torch.
"""
