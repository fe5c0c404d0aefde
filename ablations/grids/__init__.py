"""What is to run: axes, cells and the plan of a grid."""
