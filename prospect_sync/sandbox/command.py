"""The command `sandbox`: options in, a running sandbox out."""

from pathlib import Path
from typing import Annotated

import typer

from prospect_sync.sandbox.server import CannotStartError, SandboxOptions, run


def sandbox(
    pairs: Annotated[
        int | None, typer.Option(min=0, help="Pairs to make up; 100 by default, none beside --data.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the made-up pairs and of the faults' chance.")] = 0,
    data: Annotated[Path | None, typer.Option(help="A JSON file to load, in the shape of a dump.")] = None,
    latency_ms: Annotated[float, typer.Option(min=0, help="Delay of every answer.")] = 0,
    ae_lag_seconds: Annotated[
        float, typer.Option(min=0, help="How far Account Engagement's reads trail its writes.")
    ] = 0,
    port: Annotated[
        int, typer.Option(min=0, max=65532, help="First of four consecutive ports; 0 takes free ones.")
    ] = 0,
    call_log_rows: Annotated[int, typer.Option(min=1, help="Calls kept in the log; counts go on beyond.")] = 200_000,
) -> None:
    """Start two pretend orgs over TLS, print one line of JSON that says where, and serve until stopped."""
    options = SandboxOptions(
        pairs=pairs if pairs is not None else (100 if data is None else 0),
        seed=seed,
        data=data,
        latency_ms=latency_ms,
        ae_lag_seconds=ae_lag_seconds,
        port=port,
        call_log_rows=call_log_rows,
    )
    try:
        run(options)
    except CannotStartError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
