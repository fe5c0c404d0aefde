"""Encoders of single frames for networks without SAM2: four maps, one a stage."""
