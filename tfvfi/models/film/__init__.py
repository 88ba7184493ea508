"""FILM: Frame Interpolation for Large Motion (ECCV 2022)."""
