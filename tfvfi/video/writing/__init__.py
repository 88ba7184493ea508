"""Writes frames to files: encoders, other tracks, and segments that survive an interruption."""
