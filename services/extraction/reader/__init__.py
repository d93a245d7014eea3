"""The learned reader: one encoder that marks cues of speech and of positions, and the arguments of each."""
