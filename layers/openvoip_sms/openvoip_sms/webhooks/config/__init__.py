"""`sources.yaml`: read, checked as a whole, and turned into the model."""
