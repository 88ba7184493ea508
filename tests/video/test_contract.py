"""The contracts of sources, sinks and networks, and the signature that users see."""

import inspect
from dataclasses import fields

import tfvfi
from tfvfi.video import Treatment


def test_interpolate_video_lists_every_setting_of_a_treatment_with_its_default():
    listed = inspect.signature(tfvfi.interpolate_video).parameters
    assert not any(one.kind is one.VAR_KEYWORD for one in listed.values())
    for field in fields(Treatment):
        assert listed[field.name].default == field.default, field.name


def test_public_functions_are_annotated_and_shadow_no_builtin():
    for function in (tfvfi.interpolate_video, tfvfi.interpolate_frames, tfvfi.interpolate):
        signature = inspect.signature(function)
        assert signature.return_annotation is not signature.empty
        for name, parameter in signature.parameters.items():
            assert parameter.annotation is not parameter.empty, name
            assert name not in dir(__builtins__) and name not in ("input", "type", "id"), name
