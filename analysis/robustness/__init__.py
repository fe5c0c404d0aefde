"""What corruptions of sound and picture cost a trained model."""
