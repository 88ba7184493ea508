"""Trains or fine-tunes any network on records.

    python tools/train.py --model=ifrnet_s --records=records/mine --output=runs/ifrnet_s
    python tools/train.py --model=ifrnet_s --weights=ifrnet_s.weights.h5 --steps=2000 \\
        --learning_rate=1e-5 --records=records/mine --output=runs/tuned --export=mine.weights.h5
    python tools/train.py --model=flow_interpolation --flow=flownet2_s --objective=charbonnier \\
        --records=records/mine --output=runs/flow

What is not told is as the network's paper recommends. The same command continues a run that was
interrupted, however it ended. --dry_run checks everything and tells what would happen.
"""

from absl import flags

from tfvfi.errors import InputError

FLAGS = flags.FlagValues()


def _define() -> None:
    """One flag for each setting; those without a default are as the network's preset says."""
    text, number, real = flags.DEFINE_string, flags.DEFINE_integer, flags.DEFINE_float
    choice, switch = flags.DEFINE_enum, flags.DEFINE_bool
    several, reals = flags.DEFINE_multi_string, flags.DEFINE_multi_float
    for define, name, default, *rest in (
        (text, "model", None, "the network, name or name,option=value,..."),
        (text, "records", None, "folder of records, or NAME:FOLDER of a benchmark"),
        (text, "output", None, "folder of the run"),
        (text, "weights", None, "a .weights.h5 file to start from; fresh ones if none"),
        (text, "flow", None, "the flow network to train inside --model=flow_interpolation"),
        (text, "flow_weights", None, "its .weights.h5 file, in place of --weights"),
        (text, "objective", None, "what is minimized; the paper's own if none"),
        (text, "perceptual_weights", None, "torchvision's file of VGG, for features"),
        (text, "teacher", None, "a .weights.h5 file of the same model, for cycle_pseudo"),
        (number, "steps", None, "updates of the weights", 1),
        (number, "batch_size", None, "examples an update, all replicas together", 1),
        (number, "crop_size", None, "side of the crops", 1),
        (number, "num_interp", None, "frames between two that the network sees", 1),
        (number, "sample_rate", None, "frames are so far apart; 0 for neighbors (cycle)", 0),
        (number, "step_size", None, "frames from one sample to the next", 1),
        (switch, "augment", True, "change patches at random"),
        (text, "optimizer", None, "adam, adamw, adamax or sgd; or adamw,weight_decay=0.01,..."),
        (real, "learning_rate", None, "the rate after the warm-up", 0.0),
        (choice, "schedule", None, ["constant", "steps", "cosine"], "how the rate changes"),
        (real, "final_rate", None, "where the cosine ends", 0.0),
        (reals, "milestones", None, "shares of the steps after which it falls; repeatable"),
        (real, "factor", None, "what it is multiplied by then", 0.0),
        (number, "warm_up", None, "steps in which the rate rises from zero", 0),
        (real, "clip", 0.0, "largest norm of the whole gradient; 0 for any", 0.0),
        (real, "ema", None, "momentum of the averaged weights; 0 for none", 0.0),
        (number, "accumulate", 1, "compute a batch in so many parts, to save memory", 1),
        (
            choice,
            "precision",
            "float32",
            ["float32", "mixed_bfloat16", "mixed_float16"],
            "of the network's inside",
        ),
        (
            choice,
            "strategy",
            "one",
            ["one", "mirrored", "multi_worker"],
            "one device, all of this machine, or several machines (TF_CONFIG)",
        ),
        (number, "seed", 0, "everything random follows from it", 0),
        (switch, "deterministic", False, "the same bits every time, slower"),
        (number, "interval", None, "steps between checkpoints, with validation", 1),
        (several, "validation", [], "NAME:FOLDER of a benchmark to validate on; repeatable"),
        (number, "validation_limit", 64, "samples that a validation looks at", 1),
        (number, "pictures", 2, "samples shown in TensorBoard", 0),
        (text, "export", None, "a .weights.h5 file for the best averaged weights"),
    ):
        define(name, default, *rest, flag_values=FLAGS)


_define()
flags.DEFINE_bool("dry_run", False, "check everything, tell the plan, stop", flag_values=FLAGS)
flags.DEFINE_bool("resume", True, "continue a run that --output holds", flag_values=FLAGS)
flags.DEFINE_bool("overwrite", False, "forget a run that --output holds", flag_values=FLAGS)
flags.mark_flags_as_required(["model", "records", "output"], flag_values=FLAGS)


def main() -> None:
    """Flags in, a folder of a run out."""
    from tfvfi import startup

    startup.import_keras()
    from dataclasses import fields

    from tfvfi.options import named
    from tfvfi.training.folder import RunFolder
    from tfvfi.training.session import dry_run, train
    from tfvfi.training.settings import Settings

    given = {
        field.name: FLAGS[field.name].value for field in fields(Settings) if field.name in FLAGS
    }
    given["augmentation"] = None if FLAGS.augment else ()
    given["model"], given["options"] = named(FLAGS.model)
    if FLAGS.optimizer:
        given["optimizer"], given["optimizer_options"] = named(FLAGS.optimizer)
    given["weights"] = given["options"].pop("weights", FLAGS.weights)
    if FLAGS.flow_weights:
        if given["weights"] or not FLAGS.flow:
            raise InputError("--flow_weights goes with --flow, and takes the place of --weights")
        given["weights"] = FLAGS.flow_weights
    if FLAGS.dry_run:
        print(dry_run(Settings(**given)))
        return
    if FLAGS.overwrite:
        if FLAGS.strategy == "multi_worker":
            raise InputError(f"several workers cannot agree to forget; remove {FLAGS.output}")
        RunFolder(FLAGS.output).discard()
    elif not FLAGS.resume and RunFolder(FLAGS.output).kept_settings() is not None:
        raise InputError(
            f"{FLAGS.output} holds a run, and --noresume does not continue it; name another "
            "--output, or pass --overwrite to forget it"
        )
    print(f"the run is in {train(Settings(**given))}")
