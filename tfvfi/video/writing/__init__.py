"""Frames into files: encoders, the tracks beside them, parts that survive an interruption."""
