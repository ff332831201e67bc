"""The verbs of ``python -m worker``: each reads the settings, reports all that is wrong at once, and starts one thing."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from prospect_sync.errors import MappingError, ProspectSyncError
from prospect_sync.model import Lane
from prospect_sync.observe import set_up_logging
from settings import Settings, load_settings
from worker.app import QUEUES, create_app
from worker.lifecycle import connect
from worker.wiring import mapping_of, prepared_engine

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Runs the service that keeps prospects and leads/contacts in step. Settings come from the environment.",
)
_errors = Console(stderr=True)
_out = Console()


def main() -> None:
    """Run the command line; a user's mistake is told in words and ends with exit code 2."""
    try:
        app()
    except ValidationError as wrong:
        _tell("The settings are not right:", [_setting(problem) for problem in wrong.errors()])
    except MappingError as wrong:
        _tell(
            f"The mapping {wrong.source} is not right:",
            [f"line {problem.line or '?'}: {problem.key}: {problem.message}" for problem in wrong.problems],
        )
    except ProspectSyncError as wrong:
        _tell(str(wrong), [])


@app.command()
def run(
    concurrency: Annotated[int | None, typer.Option(help="Processes; default from the settings.")] = None,
    queues: Annotated[str, typer.Option(help="Lanes to serve, most urgent first.")] = ",".join(QUEUES),
) -> None:
    """Run a worker: it drains the lanes and polls both sides.

    Example: [bold]python -m worker run --concurrency 4[/bold]
    """
    settings = _checked()
    if concurrency:
        settings = settings.model_copy(update={"concurrency": concurrency})
    celery = create_app(settings)
    connect(celery, settings)
    arguments = ["worker", "-Q", queues, "--pool", "prefork", "-c", str(settings.concurrency)]
    # nobody listens to what workers say to each other, and recovery does not rest on it
    celery.worker_main([*arguments, "--without-gossip", "--without-mingle", "--loglevel", settings.log_level])


@app.command()
def beat() -> None:
    """Run the scheduler: polls, and the tending of queues. One per service."""
    settings = _checked()
    celery = create_app(settings)
    connect(celery, settings)
    celery.Beat(loglevel=settings.log_level).run()


@app.command()
def listen() -> None:
    """Follow Salesforce's change events, so that an edit there is worked on within a second.

    One per service; a second one stands by. With the source "poll" there is nothing to do, and it says so.
    """
    from worker.listener import run_listener

    settings = _settings()
    if settings.events.source == "poll":
        _out.print("The source of Salesforce changes is the poller (events.source = poll): nothing to listen to.")
        sys.exit(0)
    sys.exit(run_listener(_checked()))


@app.command()
def resync(
    since: Annotated[
        datetime | None,
        typer.Option(
            parser=datetime.fromisoformat, metavar="ISO", help="Only what changed since then; UTC unless it says so."
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything; the default without --since.")] = False,
    lane: Annotated[Lane, typer.Option(help="Where what differs is worked on.")] = Lane.BULK,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Start it and leave.")] = False,
    pause: Annotated[bool | None, typer.Option("--pause/--resume", help="Stop the open one, or let it go on.")] = None,
) -> None:
    """Compare all pairs and bring those into step that differ; the running workers do it. A second start joins the first.

    Example: [bold]python -m worker resync --since 2026-11-01[/bold]
    """
    from worker.resync import pause_resync, run_resync

    if everything and since is not None:
        _tell("Give --since or --all, not both.", [])
    settings = _checked()
    set_up_logging(settings.log_format, "warning")
    runtime = create_app(settings).runtime()
    if pause is not None:
        _out.print(pause_resync(runtime, paused=pause), markup=False)
        return
    start = since.replace(tzinfo=UTC) if since is not None and since.tzinfo is None else since
    sys.exit(run_resync(runtime, since=start, lane=lane, as_json=as_json, detach=detach))


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
    probe: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--probe-conditional-writes",
            metavar="RECORD_ID FIELD",
            help="Also find out whether a Composite keeps If-Unmodified-Since, on this lead or contact and a scratch field.",
        ),
    ] = None,
) -> None:
    """Examine the set-up against the real endpoints, and say what to do. Exit code 0: well, 1: warnings, 2: wrong.

    Example: [bold]python -m worker doctor --probe-conditional-writes 00Q… Scratch__c[/bold]
    """
    from worker.doctor import run_doctor

    settings = _settings()
    sys.exit(run_doctor(settings, mapping_of(settings), as_json=as_json, probe=probe))


@app.command()
def pause(
    lane: Annotated[Lane | None, typer.Option(help="Stop draining this lane; its hints go on merging.")] = None,
    field: Annotated[str | None, typer.Option(help="Stop deciding this field, by the prospect's name.")] = None,
) -> None:
    """Switch off all lanes, one lane, or one field, for all workers, until it is resumed.

    Example: [bold]python -m worker pause --field jobTitle[/bold]
    """
    from worker.switches import switch_off

    settings = _checked()
    _out.print(switch_off(settings, mapping_of(settings), lane, field), markup=False)


@app.command()
def resume(
    lane: Annotated[Lane | None, typer.Option(help="Drain this lane again.")] = None,
    field: Annotated[str | None, typer.Option(help="Decide this field again, paused or on hold.")] = None,
) -> None:
    """Switch on again: all lanes, one lane, or one field; what changed meanwhile is looked at.

    Example: [bold]python -m worker resume --field jobTitle[/bold]
    """
    from worker.switches import switch_on

    settings = _checked()
    _out.print(switch_on(settings, mapping_of(settings), lane, field), markup=False)


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False) -> None:
    """Show what waits in each lane, what is paused, and which fields are on hold."""
    from worker.switches import show_status

    show_status(_checked(), as_json=as_json)


@app.command()
def up() -> None:
    """Run everything on this machine, until Ctrl-C: Redis where none is given, a worker, the scheduler, the listener."""
    from worker.up import run_everything

    sys.exit(run_everything(_settings()))


@app.command()
def alive() -> None:
    """Ask this machine's worker for a sign of life: exit code 0 if it answers, 1 if not."""
    from worker.alive import is_alive

    settings = _settings()
    if not settings.redis_url.get_secret_value():
        _tell("No Redis is set: give REDIS_URL.", [])
    sys.exit(0 if is_alive(create_app(settings)) else 1)


@app.command()
def demo(
    pairs: Annotated[int, typer.Option(min=1, help="How many pairs.")] = 1000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same pairs and edits.")] = 1,
    seconds: Annotated[float, typer.Option(min=0, help="How long the simulated users edit.")] = 12,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file, too.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave data and logs behind.")] = False,
) -> None:
    """Show the whole product on two pretend orgs, and check every pair at the end.

    Example: [bold]python -m worker demo --pairs 5000[/bold]
    """
    from worker.demo import run_demo

    sys.exit(run_demo(pairs, seed, seconds=seconds, json_file=json_file, keep=keep))


def _settings() -> Settings:
    return load_settings()


def _checked() -> Settings:
    """Settings, mapping and database are looked at before anything starts, not when the first record comes."""
    settings = _settings()
    if not settings.redis_url.get_secret_value():
        _tell("No Redis is set: give REDIS_URL, or use `python -m worker up`, which brings its own.", [])
    mapping_of(settings)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    prepared_engine(settings).dispose()
    return settings


def _setting(problem: object) -> str:
    where = ".".join(str(part) for part in problem["loc"])  # type: ignore[index]
    return f"{where or 'settings'}: {problem['msg']}"  # type: ignore[index]


def _tell(headline: str, lines: list[str]) -> None:
    _errors.print(headline, style="bold red", markup=False)
    for line in lines:
        _errors.print(f"  {line}", markup=False)
    sys.exit(2)
