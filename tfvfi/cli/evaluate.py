"""Measures networks on a benchmark, compares them with published results, and writes a report.

    python tools/evaluate.py --model=ifrnet_s --weights=ifrnet_s.weights.h5 \\
        --dataset=middlebury --data_dir=other --report=out/middlebury
    python tools/evaluate.py --model=flow_interpolation --compare=ifrnet_s,weights=s.weights.h5 \\
        --dataset=video --data_dir=clip.mp4 --report=out/clip

The folder --report receives frames.csv and samples.csv for each network, summary.json with every
definition, and index.html, the report as one page. To continue an interrupted run, repeat the
command. tfvfi.data.datasets lists the datasets; "frames" is any folder, and "video" any file.
"""

from dataclasses import replace

from absl import flags

FLAGS = flags.FlagValues()
flags.DEFINE_string(
    "model", "flow_interpolation", "the network, name or name,option=value,...", flag_values=FLAGS
)
flags.DEFINE_string("weights", "default", "its .weights.h5 file", flag_values=FLAGS)
flags.DEFINE_string("flow", None, "the flow estimator of flow_interpolation", flag_values=FLAGS)
flags.DEFINE_string("flow_weights", None, "its .weights.h5 file", flag_values=FLAGS)
flags.DEFINE_multi_string(
    "compare",
    [],
    "another network, name,weights=FILE,option=value,...; repeatable",
    flag_values=FLAGS,
)
flags.DEFINE_string("dataset", None, "the benchmark", flag_values=FLAGS, required=True)
flags.DEFINE_string("data_dir", None, "where its data lies", flag_values=FLAGS, required=True)
flags.DEFINE_multi_string(
    "dataset_option", [], "name=value of the benchmark's reader; repeatable", flag_values=FLAGS
)
flags.DEFINE_string("report", None, "folder for the results", flag_values=FLAGS, required=True)
flags.DEFINE_integer("report_samples", 24, "samples shown with pictures", 0, flag_values=FLAGS)
flags.DEFINE_enum(
    "rounding",
    None,
    ["nearest", "truncate", "none"],
    "how predictions are rounded before they are measured; the protocol's by default",
    flag_values=FLAGS,
)
flags.DEFINE_float(
    "flow_scale",
    None,
    "estimate flow this many times smaller, where the network can; the protocol's by default",
    flag_values=FLAGS,
)
flags.DEFINE_bool(
    "self_ensemble", False, "average over flips and both directions of time", flag_values=FLAGS
)
flags.DEFINE_integer("batch_size", 1, "pairs at once; changes no number", 1, flag_values=FLAGS)
flags.DEFINE_multi_string(
    "lpips", [], "weights of the perceptual distance: backbone, then linear", flag_values=FLAGS
)
flags.DEFINE_integer("limit", None, "measure only so many samples", 1, flag_values=FLAGS)
flags.DEFINE_bool("write_images", False, "keep predictions as PNG files", flag_values=FLAGS)
flags.DEFINE_bool("write_video", False, "keep a video of each clip", flag_values=FLAGS)
flags.DEFINE_string("fps", "24", "frames a second in videos", flag_values=FLAGS)
flags.DEFINE_bool("mark", False, "mark predicted frames in videos", flag_values=FLAGS)
flags.DEFINE_bool("overwrite", False, "forget what the folder holds", flag_values=FLAGS)


def main() -> None:
    """Runs the evaluation and prints its summary."""
    from tfvfi import options, startup

    startup.import_keras()
    from tfvfi.evaluation.evaluate import EvaluationSettings, evaluate
    from tfvfi.evaluation.media import Media, rate
    from tfvfi.evaluation.tables import as_text
    from tfvfi.registry import ModelSpec

    first = ModelSpec.parse(FLAGS.model, FLAGS.weights)
    flow = {name: FLAGS[name].value for name in ("flow", "flow_weights") if FLAGS[name].value}
    first = replace(first, options={**first.options, **flow})
    settings = EvaluationSettings(
        rounding=FLAGS.rounding,
        flow_scale=FLAGS.flow_scale,
        self_ensemble=FLAGS.self_ensemble,
        batch_size=FLAGS.batch_size,
        lpips=tuple(FLAGS.lpips),
        limit=FLAGS.limit,
        dataset_options=options.parse(FLAGS.dataset_option),
        media=Media(FLAGS.write_images, FLAGS.write_video, rate(FLAGS.fps), FLAGS.mark),
        shown=FLAGS.report_samples,
    )
    summary = evaluate(
        [first, *FLAGS.compare],
        FLAGS.dataset,
        FLAGS.data_dir,
        FLAGS.report,
        settings,
        FLAGS.overwrite,
    )
    print(as_text(summary))
    print(f"results are in {FLAGS.report}; open index.html there to look at them")
