"""A local page on which a trained model hears a clip and a person corrects it by clicks."""
