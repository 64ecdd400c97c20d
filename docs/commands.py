"""Writes docs/commands.md from the commands themselves. `make docs` runs it, a test compares."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import typer

from edge.cli.main import app

OUT = Path(__file__).parent / "commands.md"
Command = Callable[..., object]
KINDS = {int: "N", float: "N", Path: "PATH", str: "TEXT"}
INTRODUCTION = """\
# Commands

<!-- Written by docs/commands.py from the commands themselves: `make docs`. Do not edit. -->

Every command ends with an [exit code](operations.md#exit-codes) that means something. Commands that
read take `--json` and then print nothing else on standard output; words for people go to standard
error. `NO_COLOR` is honoured. `edge-inspect --install-completion` teaches the shell the rest.
`edge-inspect --version` says the version.

"""


@dataclass(frozen=True, slots=True)
class Option:
    """An option or an argument of a command, in words."""

    name: str
    value: str
    default: str
    help: str
    argument: bool
    required: bool


def commands(group: typer.Typer = app, path: str = "edge-inspect") -> Iterator[tuple[str, Command]]:
    """Every command with its full name, in the order of the help."""
    for info in group.registered_commands:
        assert info.callback is not None
        name = info.name or info.callback.__name__.replace("_", "-")
        yield f"{path} {name}", info.callback
    for sub in group.registered_groups:
        assert sub.typer_instance is not None
        alone = sub.typer_instance.registered_callback
        if sub.typer_instance.info.invoke_without_command is True and alone is not None:
            assert alone.callback is not None
            yield f"{path} {sub.name}", alone.callback
        yield from commands(sub.typer_instance, f"{path} {sub.name}")


def options(command: Command) -> list[Option]:
    """What a command takes: its arguments first."""
    hints = typing.get_type_hints(command, include_extras=True)
    found = [
        _option(parameter, *typing.get_args(_annotated(hints[name])))
        for name, parameter in inspect.signature(command).parameters.items()
        if hints[name] is not typer.Context
    ]
    return sorted(found, key=lambda option: not option.argument)


def text() -> str:
    """The whole page."""
    sections = [_section(name, command) for name, command in commands()]
    index = [f"- [`{name}`](#{name.replace(' ', '-')})" for name, _ in commands()]
    return INTRODUCTION + "\n".join(index) + "\n\n" + "\n".join(sections)


def _annotated(hint: typing.Any) -> typing.Any:
    """The hint itself: up to Python 3.10 a default of None wraps it into an Optional."""
    if typing.get_origin(hint) is typing.Annotated:
        return hint
    return next(part for part in typing.get_args(hint) if part is not type(None))


def _option(parameter: inspect.Parameter, kind: object, info: typing.Any) -> Option:
    argument = type(info).__name__ == "ArgumentInfo"
    required = parameter.default is inspect.Parameter.empty
    plain = parameter.name.upper() if argument else f"--{parameter.name.replace('_', '-')}"
    declared = tuple(info.param_decls or ())
    if isinstance(info.default, str):  # typer.Option("--name") keeps the first one here
        declared = (info.default, *declared)
    name = (info.metavar or plain) if argument else ", ".join(declared) or plain
    default = "" if required or parameter.default in (None, False) else str(parameter.default)
    if isinstance(parameter.default, Enum):
        default = str(parameter.default.value)
    return Option(name, _value(kind), default, info.help or "", argument, required)


def _value(kind: object) -> str:
    """What stands behind the option's name; nothing for a flag."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        kind = next(part for part in typing.get_args(kind) if part is not type(None))
    if typing.get_origin(kind) is list:
        kind = typing.get_args(kind)[0]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "|".join(str(member.value) for member in kind)
    return "" if kind is bool else KINDS[typing.cast(type, kind)]


def _section(name: str, command: Command) -> str:
    taken = options(command)
    usage = [name]
    usage += [o.name if o.required else f"[{o.name}]" for o in taken if o.argument]
    usage += [f"{o.name} {o.value}" for o in taken if o.required and not o.argument]
    usage += ["[OPTIONS]"] if any(not o.required and not o.argument for o in taken) else []
    lines = [f"## {name}", "", "```", " ".join(usage), "```", "", inspect.getdoc(command) or "", ""]
    if taken:
        lines += ["| | | default |", "|---|---|---|"]
        lines += [_row(option) for option in taken]
        lines.append("")
    return "\n".join(lines)


def _row(option: Option) -> str:
    shown = f"`{option.name}`"
    if option.value and not option.argument:
        shown += f" `{option.value}`"
    default = f"`{option.default}`" if option.default else ""
    cells = (shown, option.help, "required" if option.required else default)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    OUT.write_text(text())
