"""Any video to masks: prompts of a command line, and the files that come out."""
