"""The channel norm against FlowNet2's layer."""

from tests.gradients import value_and_gradients
from tests.ops.conftest import assert_close
from tfvfi import ops


def test_flownet2_with_pixels_that_are_all_zero(tracing, golden):
    arrays = golden("flownet2")
    out, (gradient,) = value_and_gradients(
        ops.channel_norm, [arrays["norm_in"]], arrays["norm_gout"], **tracing
    )
    assert (arrays["norm_out"] == 0).any()
    assert_close(out, arrays["norm_out"], 1e-6)
    assert_close(gradient, arrays["norm_gin"], 1e-5)
