"""Frames out of files: videos, animations, pictures."""
