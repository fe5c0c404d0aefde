"""Classifiers of what is heard: one file each, registered by being here."""
