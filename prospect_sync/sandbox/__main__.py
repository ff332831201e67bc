"""`python -m prospect_sync.sandbox`."""

import typer

from prospect_sync.sandbox.command import sandbox

if __name__ == "__main__":
    typer.run(sandbox)
