"""One training step, the loops that drive it, and what they minimize."""
