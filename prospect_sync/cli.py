"""The command `prospect-sync`: what needs no running service. Options in, text out; nothing is decided here.

`resolve` must start fast, so verbs that need more than the policy core are imported when they are called for.
"""

import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from prospect_sync.cases import CaseError, read_case, to_json, write_answer, write_error
from prospect_sync.errors import MappingError
from prospect_sync.mapping import load_mapping, misgivings
from prospect_sync.policy import FieldMapping, Mapping, resolve

_EXAMPLES = """
Examples:

  prospect-sync mapping check my_mapping.toml

  prospect-sync resolve --mapping my_mapping.toml cases.jsonl

  echo '{"id": "c1", ...}' | prospect-sync resolve --mapping my_mapping.toml
"""
_QUICK_VERBS = {"resolve", "mapping", "--version"}

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help="Keep Account Engagement prospects and Salesforce leads and contacts in step.",
    epilog=_EXAMPLES,
)
mapping_app = typer.Typer(no_args_is_help=True, help="Work with mapping files.")
app.add_typer(mapping_app, name="mapping")


def main() -> None:
    """Run the command line."""
    if not _QUICK_VERBS.intersection(sys.argv[1:2]):
        from prospect_sync.sandbox.command import sandbox

        app.command("sandbox")(sandbox)
    app()


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"prospect-sync {version('prospect-sync')}")
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    """Keep Account Engagement prospects and Salesforce leads and contacts in step."""


@app.command("resolve")
def resolve_command(
    mapping: Annotated[Path, typer.Option(help="The mapping file (TOML).")],
    cases: Annotated[
        Path | None,
        typer.Argument(exists=True, dir_okay=False, help="One case of JSON a line; standard input if left out."),
    ] = None,
) -> None:
    """Decide pairs offline: one case of JSON a line in, one line of decisions out, in the same order.

    Lines that are no case are answered with an error, which also goes to standard error; the exit code is then 2.

    Example: prospect-sync resolve --mapping my_mapping.toml cases.jsonl
    """
    try:
        checked = load_mapping(mapping)
    except MappingError as error:
        typer.echo("\n".join(_problem_lines(error)), err=True)
        raise typer.Exit(2) from None
    try:
        if cases is None:
            clean = _resolve_lines(sys.stdin.buffer, checked)
        else:
            with cases.open("rb") as lines:
                clean = _resolve_lines(lines, checked)
    except BrokenPipeError:
        # Whoever read our answers has seen enough. What is still buffered must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
    if not clean:
        raise typer.Exit(2)


def _resolve_lines(lines: BinaryIO, mapping: Mapping) -> bool:
    """Answer line by line, holding one line at a time; tell whether every line was a case."""
    clean = True
    out = sys.stdout.buffer
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            case = read_case(line)
            answer = write_answer(case, resolve(case.pair, mapping))
        except CaseError as error:
            clean = False
            answer = write_error(error, number)
            sys.stderr.write(f"{answer}\n")
        out.write(answer.encode("ascii") + b"\n")
        # Somebody may be waiting for this answer before sending the next case.
        out.flush()
    return clean


@mapping_app.command("check")
def check_command(
    file: Annotated[Path, typer.Argument(help="The mapping file (TOML).")],
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Check a mapping file: every problem with its line, or the mapping in words. The exit code is 2 if it is refused.

    What is allowed but will hardly do what was meant is told as a warning.

    Example: prospect-sync mapping check my_mapping.toml
    """
    try:
        mapping = load_mapping(file)
    except MappingError as error:
        problems = [{"line": found.line, "key": found.key, "message": found.message} for found in error.problems]
        answer = to_json({"valid": False, "problems": problems}) if as_json else "\n".join(_problem_lines(error))
        typer.echo(answer)
        raise typer.Exit(2) from None
    if as_json:
        typer.echo(
            to_json(
                {
                    "valid": True,
                    "version": mapping.version,
                    "fields": [_as_row(entry) for entry in mapping.fields],
                    "warnings": [
                        {"line": found.line, "key": found.key, "message": found.message}
                        for found in misgivings(mapping)
                    ],
                }
            )
        )
    else:
        _show(mapping)
        for found in misgivings(mapping):
            typer.echo(f"{file}:{found.line or ''}: warning: {found.key} {found.message}")


def _problem_lines(error: MappingError) -> list[str]:
    lines = []
    for problem in error.problems:
        place = f"{error.source}:{problem.line}" if problem.line else error.source
        lines.append(": ".join(part for part in (place, problem.key, problem.message) if part))
    return lines


_IN_WORDS = {
    "use_account_engagement": "Account Engagement's value wins",
    "use_salesforce": "Salesforce's value wins",
    "most_recent_field": "the field changed last wins",
    "most_recent_record": "the record changed last wins",
    "fill_blanks": "only blanks are filled",
}
_CLEARS_IN_WORDS = {
    "salesforce": "an empty Salesforce value empties the prospect's",
    "either": "a value cleared on one side is cleared on the other",
}


def _as_row(entry: FieldMapping) -> dict[str, str | None]:
    return {
        "prospect": entry.prospect,
        "lead": entry.lead,
        "contact": entry.contact,
        "type": entry.type.value,
        "behavior": entry.behavior.value if entry.behavior else None,
        "tie": entry.tie.value,
        "without_history": entry.without_history.value,
        "clears": entry.clears.value if entry.clears else None,
    }


def _show(mapping: Mapping) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{len(mapping.fields)} fields, version {mapping.version}", title_justify="left")
    for heading in ("prospect", "lead", "contact", "type", "who wins"):
        table.add_column(heading, overflow="fold")
    for entry in mapping.fields:
        table.add_row(entry.prospect, entry.lead or "–", entry.contact or "–", entry.type.value, _words(entry))
    Console(markup=False, highlight=False).print(table)


def _words(entry: FieldMapping) -> str:
    words = [_IN_WORDS[entry.behavior.value] if entry.behavior else "decided by the field's own rules"]
    if entry.behavior in {"most_recent_field", "most_recent_record"}:
        words.append(f"tie: {entry.tie.value}")
    if entry.behavior == "most_recent_field":
        words.append(f"without history: {entry.without_history.value}")
    if entry.clears:
        words.append(_CLEARS_IN_WORDS[entry.clears.value])
    return "; ".join(words)


if __name__ == "__main__":
    main()
