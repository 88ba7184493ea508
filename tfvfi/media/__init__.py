"""Frames read from files, and what they look like: readers, colors, cuts, duplicates, storage."""
