"""Image backbones with their mask decoder and memory."""
