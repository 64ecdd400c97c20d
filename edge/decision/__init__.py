"""What to do with a prediction, and who decides."""
