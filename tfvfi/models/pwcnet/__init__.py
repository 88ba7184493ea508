"""PWC-Net (Sun et al., CVPR 2018): optical flow by pyramid, warping and cost volume."""
