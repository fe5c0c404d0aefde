"""Audio and visual embeddings of tested clips, in a plane and as numbers."""
