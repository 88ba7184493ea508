"""Fine-tunes a network on a video without true intermediate frames, by cycle consistency.

Every eighth frame of a clip is kept, and the network learns from these alone. The frames between
them are held back to measure the network before and after.

    python examples/cycle_fine_tuning.py --clip=mine.mp4 --output=out/tuned --model=ifrnet_s \\
        --weights=ifrnet_s.weights.h5

Published weights are the best start. Without any, the network is first trained for a while on
`--start_clips`, with true frames.
"""

from pathlib import Path

from absl import flags

from tfvfi.cli import command

FLAGS = flags.FlagValues()
flags.DEFINE_string("clip", None, "video to learn from", flag_values=FLAGS)
flags.DEFINE_string("output", None, "folder for everything", flag_values=FLAGS)
flags.DEFINE_string("model", "superslomo", "which network", flag_values=FLAGS)
flags.DEFINE_string("weights", None, "weights to start from", flag_values=FLAGS)
flags.DEFINE_multi_string("start_clips", ["samples/clip.mp4"], "without any", flag_values=FLAGS)
flags.DEFINE_integer("start_frames", 5, "in a row; 3 teach the middle only", flag_values=FLAGS)
flags.DEFINE_integer("start_steps", 600, "steps of learning from them", flag_values=FLAGS)
flags.DEFINE_float("start_rate", 2e-4, "learning rate of that", flag_values=FLAGS)
flags.DEFINE_string("objective", "cycle_pseudo", "or cycle, without a teacher", flag_values=FLAGS)
flags.DEFINE_integer("steps", 300, "steps of fine-tuning", flag_values=FLAGS)
flags.DEFINE_float("rate", 1e-4, "learning rate of that", flag_values=FLAGS)
flags.DEFINE_integer("batch_size", 2, "crops a step", flag_values=FLAGS)
flags.DEFINE_integer("crop_size", 96, "side of a crop", flag_values=FLAGS)
flags.DEFINE_integer("factor", 8, "one frame in so many is kept", flag_values=FLAGS)
flags.DEFINE_integer("width", 256, "wider clips are made as narrow", flag_values=FLAGS)
flags.DEFINE_string("precision", "mixed_bfloat16", "of training", flag_values=FLAGS)
flags.mark_flags_as_required(["clip", "output"], flag_values=FLAGS)


def main() -> None:
    """Prepares the initial weights, fine-tunes them, and measures both."""
    from tfvfi import startup

    startup.import_keras()
    from tfvfi.evaluation.evaluate import EvaluationSettings, evaluate
    from tfvfi.evaluation.tables import as_text
    from tfvfi.registry import ModelSpec

    output = Path(FLAGS.output)
    start = FLAGS.weights or learn_to_start(output / "start")
    # The folders are named after the use of their frames.
    write_frames(FLAGS.clip, output / "held_back")
    write_frames(FLAGS.clip, output / "kept", every=FLAGS.factor)
    tuned = train(
        output / "tuned",
        records=f"frames:{output / 'kept'}",
        objective=FLAGS.objective,
        weights=start,
        steps=FLAGS.steps,
        learning_rate=FLAGS.rate,
    )
    summary = evaluate(
        [ModelSpec(FLAGS.model, start), ModelSpec(FLAGS.model, tuned)],
        "frames",
        output / "held_back",
        output / "report",
        EvaluationSettings(dataset_options={"factor": FLAGS.factor}),
    )
    print(as_text(summary))


def learn_to_start(output):
    """Returns weights trained briefly on clips with all of their frames."""
    from tfvfi.data.clip_parts import Taking
    from tfvfi.data.making import create

    for clip in FLAGS.start_clips:
        write_frames(clip, output / "clips" / Path(clip).stem)
    records = output / "records"
    taking = Taking(frames=FLAGS.start_frames, patch_size=FLAGS.crop_size)
    create(str(output / "clips"), str(records), taking)
    return train(
        output / "run",
        records=str(records),
        steps=FLAGS.start_steps,
        learning_rate=FLAGS.start_rate,
    )


def train(output, **settings):
    """Trains a network and returns the file of its weights."""
    from tfvfi.training.session import train
    from tfvfi.training.settings import EvaluationSettings

    exported = f"{output}.weights.h5"
    train(
        EvaluationSettings(
            FLAGS.model,
            output=str(output),
            export=exported,
            batch_size=FLAGS.batch_size,
            crop_size=FLAGS.crop_size,
            precision=FLAGS.precision,
            schedule="cosine",
            validation_limit=8,
            interval=100,
            **settings,
        )
    )
    return exported


def write_frames(path, folder, every=1):
    """Writes the frames of a video as pictures of limited width."""
    import av
    import cv2

    folder.mkdir(parents=True, exist_ok=True)
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number % every:
                continue
            scale = min(1, FLAGS.width / frame.width)
            size = round(frame.width * scale), round(frame.height * scale)
            image = frame.to_ndarray(format="bgr24")
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            cv2.imwrite(str(folder / f"{number:06d}.png"), image)


if __name__ == "__main__":
    command.run(main, FLAGS)
