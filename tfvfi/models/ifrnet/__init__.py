"""IFRNet: Intermediate Feature Refine Network for Efficient Frame Interpolation (CVPR 2022)."""
