"""Raw videos to the frames and sounds of a benchmark's layout."""
