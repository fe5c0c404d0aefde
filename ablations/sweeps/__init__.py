"""Optuna sweeps: declared spaces, trials on the executors of grids, studies that survive kills."""
