"""How much audio prompts weigh in each block of the mask decoder."""
