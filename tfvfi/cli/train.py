"""Trains or fine-tunes any network on records.

    python tools/train.py --model=ifrnet_s --records=records/mine --output=runs/ifrnet_s
    python tools/train.py --model=ifrnet_s --weights=ifrnet_s.weights.h5 --steps=2000 \\
        --learning_rate=1e-5 --records=records/mine --output=runs/tuned --export=mine.weights.h5
    python tools/train.py --model=flow_interpolation --flow=flownet2_s --objective=charbonnier \\
        --records=records/mine --output=runs/flow

Settings default to those that the paper of the network recommends. To continue a run that was
interrupted in any way, repeat the command. --dry_run checks everything and prints the plan.
"""

from dataclasses import MISSING, Field, fields

from absl import flags

from tfvfi.errors import ArgumentError, InputError
from tfvfi.training.settings import OPTIMIZERS, Settings

FLAGS = flags.FlagValues()
# The descriptions of two flags that accept more than the settings of the same name.
MODEL = "the network, name or name,option=value,..."
OPTIMIZER = f"{', '.join(OPTIMIZERS)}; or a name with options: adamw,weight_decay=0.01,..."


def _define(setting: Field) -> None:
    """Defines the flag of a setting; if it has no default, the preset of the network decides."""
    about, limits = setting.metadata["about"], setting.metadata
    default = None if setting.default is MISSING else setting.default
    names = {"flag_values": FLAGS}
    if "choices" in limits:
        flags.DEFINE_enum(setting.name, default, list(limits["choices"]), about, **names)
        return
    kind = str(setting.type)
    if "tuple[str" in kind:
        flags.DEFINE_multi_string(setting.name, list(default), about, **names)
    elif "tuple[float" in kind:
        flags.DEFINE_multi_float(setting.name, default, about, **names)
    elif "bool" in kind:
        flags.DEFINE_bool(setting.name, default, about, **names)
    elif "int" in kind or "float" in kind:
        define = flags.DEFINE_integer if "int" in kind else flags.DEFINE_float
        lowest = limits.get("at_least", limits.get("above"))
        define(setting.name, default, about, lowest, **names)
    else:
        flags.DEFINE_string(setting.name, default, about, **names)


flags.DEFINE_string("model", None, MODEL, flag_values=FLAGS)
flags.DEFINE_string("optimizer", None, OPTIMIZER, flag_values=FLAGS)
for _setting in fields(Settings):
    if _setting.name not in ("model", "optimizer", "options", "optimizer_options", "augmentation"):
        _define(_setting)
flags.DEFINE_bool("augment", True, "change patches at random", flag_values=FLAGS)
flags.DEFINE_string(
    "flow_weights", None, "the .weights.h5 file of --flow, in place of --weights", flag_values=FLAGS
)
flags.DEFINE_bool("dry_run", False, "check everything, print the plan, stop", flag_values=FLAGS)
flags.DEFINE_bool("resume", True, "continue a run that --output holds", flag_values=FLAGS)
flags.DEFINE_bool("overwrite", False, "discard a run that --output holds", flag_values=FLAGS)
flags.mark_flags_as_required(["model", "records", "output"], flag_values=FLAGS)


def main() -> None:
    """Trains the network that the flags describe."""
    from tfvfi import startup

    startup.import_keras()
    from tfvfi.training.folder import RunFolder
    from tfvfi.training.session import dry_run, train

    settings = _settings()
    if FLAGS.dry_run:
        print(dry_run(settings))
        return
    if FLAGS.overwrite:
        if FLAGS.strategy == "multi_worker":
            raise InputError(
                f"several workers cannot discard a run together; remove {FLAGS.output} yourself"
            )
        RunFolder(FLAGS.output).discard()
    elif not FLAGS.resume and RunFolder(FLAGS.output).kept_settings() is not None:
        raise InputError(
            f"{FLAGS.output} holds a run, and `resume=False` does not continue it; choose another "
            "`output`, or pass `overwrite=True` to discard it"
        )
    print(f"the run is in {train(settings)}")


def _settings() -> Settings:
    """Returns the settings that the flags describe."""
    from tfvfi.options import named
    from tfvfi.registry import ModelSpec

    given = {each.name: FLAGS[each.name].value for each in fields(Settings) if each.name in FLAGS}
    spec = ModelSpec.parse(FLAGS.model, FLAGS.weights)
    given |= {"model": spec.name, "options": dict(spec.options), "weights": spec.weights}
    given["augmentation"] = None if FLAGS.augment else ()
    if FLAGS.optimizer:
        given["optimizer"], given["optimizer_options"] = named(FLAGS.optimizer)
    if FLAGS.flow_weights:
        if given["weights"] or not FLAGS.flow:
            raise ArgumentError("`flow_weights` needs `flow`, and takes the place of `weights`")
        given["weights"] = FLAGS.flow_weights
    return Settings(**given)
