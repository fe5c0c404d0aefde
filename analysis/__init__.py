"""What came out: reads files, never trains."""
