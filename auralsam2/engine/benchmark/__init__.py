"""Where time, arithmetic and memory of a training step and of an evaluated clip go."""
