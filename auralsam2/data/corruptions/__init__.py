"""What may go wrong with a recording, sound or picture, each in a class of its own."""
