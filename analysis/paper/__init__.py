"""From finished grids and sweeps to a paper's tables, figures and pages, by a recipe."""
