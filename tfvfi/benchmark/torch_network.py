"""Our networks on Keras's PyTorch backend, for comparison.

The portable forms of warping, resizing, padding and PReLU consist of gathers and products. An
implementation in PyTorch would use its own operations for these, so the comparison uses them too.
"""

import sys
from typing import Any

import keras
import torch
import torch.nn.functional as functional

from tfvfi import images, registry
from tfvfi import layers as blocks
from tfvfi.benchmark.inputs import arrays
from tfvfi.benchmark.task import Task, main_output
from tfvfi.ops import warp


class Module(torch.nn.Module):
    """A network reduced to its main output.

    Args:
        network: A network on Keras's PyTorch backend.
    """

    def __init__(self, network: Any):
        super().__init__()
        self.network = network
        self.main_output = main_output(network)

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Returns the frame at a time, or the flow."""
        return self.main_output(*inputs)


def exported(task: Task) -> tuple[Any, tuple[torch.Tensor, ...]]:
    """Returns the network as one graph of PyTorch's operations, and inputs for it."""
    policy = {"float32": "float32", "bfloat16": "mixed_bfloat16"}[task.precision]
    options = dict(task.options)
    # A graph of PyTorch's cannot depend on values, as the choice of RIFE's scales does. For motion
    # as small as that of the inputs, the published scales are used in any case.
    if "doubling" in registry.options_of(task.model):
        options["doubling"] = None
    network = registry.load(task.model, task.weights or None, dtype=policy, **options)
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    _own_operations()
    with_time = "time" in network.input_names
    inputs = tuple(map(torch.from_numpy, arrays(task.height, task.width, with_time)))
    with torch.no_grad():
        return torch.export.export(Module(network).eval(), inputs, strict=False), inputs


def without_aliases(program: Any) -> Any:
    """Returns the graph of a program without alias operations, which pnnx does not support."""
    module = program.module()
    for node in list(module.graph.nodes):
        if node.target is torch.ops.aten.alias.default:
            node.replace_all_uses_with(node.args[0])
            module.graph.erase_node(node)
    module.recompile()
    return module


def _own_operations() -> None:
    """Replaces the portable forms in this process, which runs only this comparison."""
    portable_resize = images.resize
    for name, loaded in list(sys.modules.items()):
        if name.startswith("tfvfi.models") and getattr(loaded, "resize", None) is portable_resize:
            loaded.resize = _resize
    portable_warp = warp._backward_warp

    def backward_warp(image: Any, flow: Any, padding: str, grid: str) -> Any:
        form = portable_warp if padding == "masked" else _backward_warp
        return form(image, flow, padding, grid)

    warp._backward_warp = backward_warp
    blocks.Conv2D.convolve = _convolve
    blocks.Double.call = _double
    blocks.PReLU.call = _prelu
    images.pad_edge = _pad_edge
    keras.ops.clip = torch.clip


def _backward_warp(image, flow, padding, grid):
    height, width = image.shape[1:3]
    columns, rows = torch.arange(width), torch.arange(height)[:, None]
    x = warp._positions(columns, flow[..., 0].float(), warp.GRIDS[grid](width))
    y = warp._positions(rows, flow[..., 1].float(), warp.GRIDS[grid](height))
    places = torch.stack([2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1], dim=-1)
    warped = functional.grid_sample(
        _channels_first(image.float()), places, padding_mode=padding, align_corners=True
    )
    return _channels_last(warped).to(image.dtype)


def _resize(image, size_or_scale, align_corners=False, method="bilinear"):
    number = isinstance(size_or_scale, int | float)
    wanted = {"scale_factor": size_or_scale} if number else {"size": tuple(size_or_scale)}
    aligned = {"align_corners": align_corners} if method == "bilinear" else {}
    resized = functional.interpolate(_channels_first(image), mode=method, **wanted, **aligned)
    return _channels_last(resized)


def _pad_edge(frames, padding):
    top, bottom, left, right = padding
    if not any(padding):
        return frames
    beside = (left, right, top, bottom)
    return _channels_last(functional.pad(_channels_first(frames), beside, mode="replicate"))


def _convolve(layer, image):
    """Convolves and adds the bias in one operation; Keras adds the bias only afterwards."""
    kernel = keras.ops.convert_to_tensor(layer.kernel).permute(3, 2, 0, 1)
    bias = keras.ops.convert_to_tensor(layer.bias) if layer.use_bias else None
    convolved = functional.conv2d(
        _channels_first(image), kernel, bias, layer.strides, layer.border, layer.dilation_rate
    )
    return layer.activation(_channels_last(convolved))


def _double(layer, image):
    kernel = keras.ops.convert_to_tensor(layer.kernel).permute(3, 2, 0, 1)
    bias = keras.ops.convert_to_tensor(layer.bias) if layer.use_bias else None
    doubled = functional.conv_transpose2d(_channels_first(image), kernel, bias, 2, 1)
    return layer.activation(_channels_last(doubled))


def _prelu(layer, values):
    alpha = keras.ops.convert_to_tensor(layer.alpha)
    return _channels_last(functional.prelu(_channels_first(values), alpha))


def _channels_first(image):
    return image.permute(0, 3, 1, 2)


def _channels_last(image):
    return image.permute(0, 2, 3, 1)
