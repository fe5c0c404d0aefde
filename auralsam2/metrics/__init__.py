"""Scores of predicted masks: pure functions, each behind a registered mmengine metric."""
