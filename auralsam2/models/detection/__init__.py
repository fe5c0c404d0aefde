"""Detectors of named objects: one file each, registered by being here."""
