"""RIFE: Real-Time Intermediate Flow Estimation for Video Frame Interpolation (ECCV 2022)."""
