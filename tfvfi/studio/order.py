"""What the page asks for: checked, described in a sentence, and written as a command line."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from tfvfi import registry
from tfvfi.errors import InputError
from tfvfi.studio.folders import Folders
from tfvfi.video.treatment import Treatment
from tfvfi.video.writing.encoding import CONTAINERS, Encoding, codecs_in

# States of weights with which a network works at once.
READY = ("none needed", "bundled", "cached")
# The options that the page may set. None of them is a path.
OPTIONS = {"scale": (int, float), "flow": (str,), "mode": (str,)}
# Formats other than videos.
STILLS = ("png", "jpeg", "webp", "tiff")
ANIMATIONS = (".gif", ".webp", ".apng")
CODEC_NAMES = {
    "h264": "H.264",
    "h265": "H.265",
    "av1": "AV1",
    "vp9": "VP9",
    "prores": "ProRes",
    "ffv1": "FFV1 (lossless)",
}


@dataclass(frozen=True)
class Order:
    """Everything that determines the output.

    Attributes:
        model: "name", "options" and "weights" (a file or None) of the network.
        treatment: Arguments of `Treatment`.
        encoding: Arguments of `Encoding`.
        ending: Of the output; empty for a folder of pictures.
    """

    model: Mapping[str, Any]
    treatment: Mapping[str, Any] = field(default_factory=dict)
    encoding: Mapping[str, Any] = field(default_factory=dict)
    ending: str = ".mp4"

    @classmethod
    def parse(cls, given: Any, folders: Folders) -> "Order":
        """Validates what the page sent.

        Raises:
            InputError: Something is missing, contradicts itself, or leads out of the folders.
        """
        if not isinstance(given, dict):
            raise InputError("an order holds a model, a treatment and an encoding")
        treatment = _known(
            given.get("treatment"),
            {
                **{"factor": (int,), "fps": (str,), "slowmo": (bool,), "sound": (str,)},
                **{"scene_cuts": (str,), "duplicates": (str,), "damaged": (str,)},
            },
        )
        encoding = _known(
            given.get("encoding"), {"codec": (str,), "crf": (int,), "pictures": (str,)}
        )
        ending = given.get("ending", ".mp4")
        if ending not in ("", *CONTAINERS, *ANIMATIONS):
            known = ", ".join((*CONTAINERS, *ANIMATIONS))
            raise InputError(f"the format is one of {known}, or a folder; received {ending!r}")
        order = cls(parse_model(given.get("model"), folders), treatment, encoding, ending)
        Treatment(**treatment)
        Encoding(**encoding).check(ending)
        return order

    def as_json(self) -> dict[str, Any]:
        """What `parse` reads."""
        return {
            "model": dict(self.model),
            "treatment": dict(self.treatment),
            "encoding": dict(self.encoding),
            "ending": self.ending,
        }

    def command(self, inputs: Sequence[str], output: str) -> str:
        """The command line that does the same."""
        flags: list[tuple[str, Any]] = [("input", each) for each in inputs]
        flags.append(("output", output))
        options = "".join(f",{key}={value}" for key, value in self.model["options"].items())
        flags.append(("model", self.model["name"] + options))
        flags.append(("weights", self.model["weights"]))
        flags += [*self.treatment.items(), *self.encoding.items()]
        words = ["tfvfi", "interpolate"]
        for name, value in flags:
            if value is True:
                words.append(f"--{name}")
            elif value not in (None, False):
                words.append(f"--{name}={value}")
        return shlex.join([*words, "--resume"])

    def plan(self, about: Mapping[str, Any], seconds_each: float | None) -> dict[str, Any]:
        """Describes the output, in numbers and in a sentence.

        Args:
            about: What is known of the source, as the tasks `facts` and `scan` report it.
            seconds_each: How long a new frame takes; None if that was not measured.
        """
        treated = Treatment(**self.treatment)
        seconds, frames = Fraction(about["seconds"]), int(about["frames"])
        wanted = treated.wanted(clock=bool(about["has_clock"] or self.ending))
        count = wanted.count(frames, seconds)
        length = seconds * treated.slower
        rate = Fraction(treated.fps).limit_denominator(200_000) if treated.fps else count / length
        if self.treatment.get("fps") is None:
            rate = Fraction(about["rate"]) * (1 if treated.slowmo else (treated.factor or 2))
        # Nothing is computed across a cut, and nothing between frames that repeat.
        share = 1 - min(
            1.0, (len(about.get("cuts", ())) + about.get("repeats", 0)) / max(1, frames)
        )
        new = max(0, count - frames) if not rate % Fraction(about["rate"]) else count
        estimate = None if seconds_each is None else new * share * seconds_each
        size = f"{about['width']}x{about['height']}"
        before, after = _count(frames), _count(count)
        if self.ending:
            before += f" at {_rate(Fraction(about['rate']))} a second"
            after += f" at {_rate(rate)} a second, {duration(float(length))} long"
        parts = [f"{before} become {after}", size, self._form()]
        if self.ending:
            parts.append(self._sound(about))
        return {
            "sentence": ", ".join(parts) + ".",
            "frames": count,
            "new": new,
            "seconds": float(length),
            "estimate": estimate,
            "time": None if estimate is None else f"About {duration(estimate)} on this computer.",
        }

    def _form(self) -> str:
        if not self.ending:
            return f"a folder of {self.encoding.get('pictures', 'png').upper()} pictures"
        if self.ending in ANIMATIONS:
            return f"an animation ({self.ending})"
        codec = Encoding(**self.encoding).codec_for(self.ending)
        return f"{CODEC_NAMES[codec]} in {self.ending}"

    def _sound(self, about: Mapping[str, Any]) -> str:
        if not about.get("sound") or self.ending in ANIMATIONS:
            return "without sound"
        if not self.treatment.get("slowmo"):
            return "with its sound"
        stretched = self.treatment.get("sound") == "stretch"
        return "with its sound stretched at the same pitch" if stretched else "without sound"


def parse_model(given: Any, folders: Folders) -> dict[str, Any]:
    """The network that the page names, with a file of weights from the folders if it names one."""
    if not isinstance(given, dict) or not isinstance(given.get("name"), str):
        raise InputError("choose a network")
    known = registry.preset(given["name"])
    if known.kind != "interpolator":
        raise InputError(f"{known.name} estimates flow and gives no frames; choose an interpolator")
    weights = given.get("weights")
    return {
        "name": known.name,
        "options": _known(given.get("options"), OPTIONS),
        "weights": None if not weights else str(folders.weights(weights)),
    }


def choices() -> dict[str, Any]:
    """What the page offers."""
    networks = []
    listed = registry.list_models()
    for name, known in listed.items():
        if known["kind"] != "interpolator":
            continue
        networks.append(
            {
                "name": name,
                "description": known["description"],
                "ready": known["bundled_weights"],
                "trainable": registry.preset(name).has_weights and known["bundled_weights"],
            }
        )
    return {
        "networks": networks,
        "qualities": {
            name: {"name": spec.name, "options": dict(spec.options)}
            for name, spec in registry.QUALITIES.items()
            if listed[spec.name]["weights"] in READY
        },
        "codecs": {ending: codecs_in(ending) for ending in CONTAINERS},
        "codec_names": CODEC_NAMES,
        "default_codecs": CONTAINERS,
        "animations": ANIMATIONS,
        "stills": STILLS,
    }


def duration(seconds: float) -> str:
    """A duration in words.

    Example:
        >>> duration(1.034), duration(75), duration(7260)
        ('1.03 seconds', '1 min 15 s', '2 h 1 min')
    """
    if seconds < 10:
        return f"{seconds:.3g} seconds"
    if seconds < 60:
        return f"{seconds:.0f} seconds"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _known(given: Any, kinds: Mapping[str, tuple[type, ...]]) -> dict[str, Any]:
    """Settings of the right names and types; those that are None are left out."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise InputError("settings are an object of names and values")
    for name, value in given.items():
        if name not in kinds:
            raise InputError(f"there is no setting {name!r} here; there are: {', '.join(kinds)}")
        if value is not None and (type(value) not in kinds[name]):
            wanted = " or ".join(kind.__name__ for kind in kinds[name])
            raise InputError(f"{name} is of type {wanted}; received {value!r}")
    return {name: value for name, value in given.items() if value is not None}


def _count(frames: int) -> str:
    return f"{frames:,} frames" if frames != 1 else "1 frame"


def _rate(rate: Fraction) -> str:
    return f"{float(rate):.2f}".rstrip("0").rstrip(".")


def source_name(inputs: Sequence[str]) -> str:
    """What a source is called in lists and in the names of outputs."""
    return Path(inputs[0]).stem if len(inputs) == 1 else f"{Path(inputs[0]).stem} and others"
