"""One run and its state: who trains it, how far it is, how it ended."""
