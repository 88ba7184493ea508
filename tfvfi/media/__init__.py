"""Reads and describes frames: readers, colors, cuts, duplicates and storage."""
