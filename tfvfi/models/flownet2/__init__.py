"""FlowNet 2.0 (Ilg et al., CVPR 2017): optical flow by a chain of encoder-decoders."""
