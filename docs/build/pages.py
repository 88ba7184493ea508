"""Pages that are made from the code when the site is built; `mkdocs.yml` names this script.

- `reference/commands.md`: every command with its flags, from their definitions;
- figures and facts of the networks, in place of `{{figure NAME}}` and `{{facts NAME ...}}`;
- the table of all networks, in place of `{{networks}}`;
- the changelog and the contributor's guide, from the files in the repository's root.
"""

import importlib
import re
import sys
import textwrap
from pathlib import Path

import mkdocs_gen_files

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
for folder in (HERE, ROOT):
    sys.path.insert(0, str(folder))

from figures import FIGURES

from tfvfi import registry
from tfvfi.cli import command

MARK = re.compile(r"\{\{(\w+) ?([\w ]*)\}\}")


def write(page: str, text: str) -> None:
    """Adds a page to the site, or replaces one."""
    with mkdocs_gen_files.open(page, "w") as file:
        file.write(text)


def commands() -> str:
    """Every command and its flags."""
    parts = [
        "# Commands\n",
        "`tfvfi <command>` once installed, `python tools/<command with underscores>.py` in a "
        "checkout. Exit codes: 0 done, 1 the work failed (one sentence says why), 2 wrong flags.\n",
    ]
    for name in command.command_names():
        module = importlib.import_module(f"tfvfi.cli.{name.replace('-', '_')}")
        about, _, more = module.__doc__.strip().partition("\n")
        parts += [f"\n## {name}\n", f"{about}\n"]
        parts += [_paragraph(text) for text in more.strip("\n").split("\n\n") if text]
        parts += ["| Flag | Default | Meaning |", "|---|---|---|"]
        values = module.FLAGS
        parts += [_flag(values[flag]) for flag in sorted(values) if not _is_absl(values, flag)]
    return "\n".join(parts) + "\n"


def _paragraph(text: str) -> str:
    """A paragraph of a command's description: examples as code, and everything else as prose."""
    if text.startswith((" ", "python tools/")):
        return f"```shell\n{textwrap.dedent(text)}\n```\n"
    return re.sub(r"(?<!\S)--[a-z_]+(=\S*\w)?", r"`\g<0>`", _escaped(text)) + "\n"


def _is_absl(values, flag: str) -> bool:
    """Whether a flag is one that absl adds to every program."""
    return flag in ("flagfile", "undefok", "help", "helpfull", "helpshort", "helpxml")


def _flag(flag) -> str:
    default = "required" if flag.default is None and flag.name in _required(flag) else flag.default
    shown = "" if default in (None, []) else f"`{default}`" if default != "required" else default
    choices = getattr(flag.parser, "enum_values", None)
    meaning = flag.help if choices is None else f"{flag.help}: {', '.join(choices)}"
    return f"| `--{flag.name}` | {shown} | {_escaped(meaning)} |"


def _required(flag) -> tuple[str, ...]:
    return (flag.name,) if getattr(flag, "required", False) else ()


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def networks() -> str:
    """All networks in one table."""
    lines = ["| Name | Kind | Description | Times |", "|---|---|---|---|"]
    for name, known in registry.presets().items():
        folder = known.network.split(".")[2]
        page = {"variational": "flow_interpolation", "dis": "flow_interpolation"}.get(
            folder, folder
        )
        lines.append(
            f"| [`{name}`]({page}.md) | {known.kind} | {_escaped(known.description)} "
            f"| {_times(known)} |"
        )
    return "\n".join(lines)


def facts(names: str) -> str:
    """What the presets of a page hold: times, weights, licences, published results."""
    lines = ["| Preset | Description | Times | Licence of the weights |", "|---|---|---|---|"]
    scores = ["| Preset | Dataset | Metric | Published | Source |", "|---|---|---|---|---|"]
    for name in names.split():
        known = registry.preset(name)
        lines.append(
            f"| `{name}` | {_escaped(known.description)} | {_times(known)} "
            f"| {_escaped(known.licence)} |"
        )
        scores += [
            f"| `{name}` | {score.dataset} | {score.metric} | {score.value:g} "
            f"| {_escaped(score.source)} |"
            for score in known.scores
        ]
    table = "\n".join(lines)
    if len(scores) > 2:
        published = "\n".join(scores)
        table += f'\n\n??? note "Published results"\n\n{_indented(published)}'
    return table


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


def _times(known) -> str:
    if known.times is None:
        return "flow"
    return "any" if known.times == "any" else ", ".join(f"{time:g}" for time in known.times)


def figure(name: str) -> str:
    """A figure, which is added to the site as a file."""
    write(f"assets/figures/{name}.svg", FIGURES[name].svg())
    return f"![{FIGURES[name].about}](../assets/figures/{name}.svg)"


MADE = {"figure": figure, "facts": facts, "networks": lambda _: networks()}


def filled(text: str) -> str:
    """A page with everything in place of its marks."""
    return MARK.sub(lambda mark: MADE[mark[1]](mark[2]), text)


for path in sorted((ROOT / "docs" / "models").glob("*.md")):
    write(f"models/{path.name}", filled(path.read_text(encoding="utf-8")))
write("reference/commands.md", commands())
write("changelog.md", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
write("contributing.md", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
