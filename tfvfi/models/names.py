"""How PyTorch files name what the layers of `blocks` hold."""


def weight_and_bias(theirs: str, ours: str) -> dict[str, str]:
    """The published names of a convolution's two tensors -> its variables.

    Example:
        >>> weight_and_bias("encoder.0", "encoder/conv")
        {'encoder.0.weight': 'encoder/conv/kernel', 'encoder.0.bias': 'encoder/conv/bias'}
    """
    return {f"{theirs}.weight": f"{ours}/kernel", f"{theirs}.bias": f"{ours}/bias"}
