"""Fusion blocks, registered by being here."""
