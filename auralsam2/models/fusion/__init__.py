"""Fusion blocks: one file each, registered by being here."""
