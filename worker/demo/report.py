"""The demo's report, for somebody who has never seen the product: tables and sentences, no decisions."""

from collections.abc import Mapping, Sequence

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from worker.demo.calls import ACCOUNT_ENGAGEMENT, SALESFORCE
from worker.demo.explain import lines_of
from worker.demo.figures import Figures, Span

_NAMES = {SALESFORCE: "Salesforce", ACCOUNT_ENGAGEMENT: "Account Engagement"}
_MOST_LINES = 20


def show(console: Console, figures: Figures, explained: Sequence[str]) -> None:
    """Print the whole report."""
    console.print()
    console.print(_verdict(figures))
    console.print(_calls(figures))
    console.print(_writes(figures))
    console.print(_latency(figures))
    console.print(_rules(figures.rules))
    console.print(
        Panel(Group(*_apart(explained)), title="Three decisions, explained from the ledger", border_style="dim")
    )
    if figures.desk:
        console.print(_desk(figures))
    console.print(Text(_small_print(figures), style="dim"))
    for line in figures.problems[:_MOST_LINES]:
        console.print(f"✗ {line}", style="red", markup=False)
    if len(figures.problems) > _MOST_LINES:
        console.print(f"… and {len(figures.problems) - _MOST_LINES} more", style="red")


def _verdict(figures: Figures) -> RenderableType:
    good = figures.pairs - figures.pairs_wrong
    lost = f"{len(figures.lost_edits)} ended wrong" if figures.lost_edits else "none was lost"
    judged = "An independent oracle compared every field of every pair, after the first sync and at the end."
    lines = (
        f"{good:,} of {figures.pairs:,} pairs are in step: both sides hold exactly what the rules ask for.",
        judged,
        f"{figures.edits} edits by a sales and a marketing user while the sync ran: {lost}.",
        f"{figures.quiet_cycles} more poll cycles after that wrote {_written(figures.quiet)} records.",
    )
    failed = bool(figures.problems)
    title = "[bold red]Something is wrong" if failed else "[bold green]Everything is in step"
    return Panel(Text("\n".join(lines)), title=title, border_style="red" if failed else "green")


def _written(span: Span | None) -> int:
    return sum(span.records_written.values()) if span else 0


def _calls(figures: Figures) -> Table:
    spans = [span for span in (figures.first, figures.live, figures.quiet) if span is not None]
    table = Table(title="API calls, counted by the pretend orgs", title_justify="left")
    table.add_column("")
    for title in ("first sync", "while users edit", f"quiet, {figures.quiet_cycles} cycles")[: len(spans)]:
        table.add_column(title, justify="right")
    table.add_row("seconds", *(f"{span.seconds:.1f}" for span in spans))
    for org, name in _NAMES.items():
        table.add_section()
        for purpose in sorted({purpose for span in spans for purpose in span.calls[org]}):
            table.add_row(f"{name}: {purpose}", *(f"{span.calls[org].get(purpose, 0):,}" for span in spans))
        table.add_row(f"{name}: all", *(f"{span.total(org):,}" for span in spans), style="bold")
        table.add_row("  for each pair", *(f"{span.total(org) / figures.pairs:.3f}" for span in spans))
    return table


def _writes(figures: Figures) -> Table:
    table = Table(title="Writes", title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, span in (("first sync", figures.first), ("after edits", figures.live)):
        if span is not None:
            table.add_row(f"records written, {name}", f"{_written(span):,}")
    for what, count in figures.needless.items():
        table.add_row(what, Text(str(count), style="red" if count else "green"))
    for state, count in figures.ledger.items():
        table.add_row(f"ledger: intents {state}", f"{count:,}")
    return table


def _latency(figures: Figures) -> Table:
    table = Table(title="From an edit to the other side, in seconds", title_justify="left")
    for column in ("direction", "edits", "half within", "95 % within", "slowest", "never arrived"):
        table.add_column(column, justify="left" if column == "direction" else "right")
    for direction, latency in figures.latency.items():
        name = direction.replace("salesforce", "Salesforce").replace("account_engagement", "Account Engagement")
        seconds = [f"{value:.2f}" if value is not None else "–" for value in (latency.p50, latency.p95, latency.most)]
        table.add_row(name, str(latency.edits), *seconds, str(latency.missing))
    return table


def _rules(rules: Mapping[str, int]) -> Table:
    table = Table(title="Decisions that wrote something, by rule", title_justify="left")
    table.add_column("rule")
    table.add_column("fields", justify="right")
    table.add_column("what the rule says")
    for rule, count, says in lines_of(rules):
        table.add_row(rule, f"{count:,}", says)
    return table


def _desk(figures: Figures) -> Table:
    table = Table(title="On the desk, for a person to look at", title_justify="left")
    table.add_column("rule")
    table.add_column("field")
    table.add_column("records", justify="right")
    table.add_column("why")
    for line in sorted(figures.desk, key=lambda line: -line["records"])[:_MOST_LINES]:
        table.add_row(line["rule"], line["field"], str(line["records"]), line["words"])
    rest = len(figures.desk) - _MOST_LINES
    if rest > 0:
        table.add_row("", "", "", f"… and {rest} more entries")
    return table


def _apart(sentences: Sequence[str]) -> list[Text]:
    return [Text(f"{number}. {words}\n") for number, words in enumerate(sentences, start=1)]


def _small_print(figures: Figures) -> str:
    settings = figures.settings
    return (
        f"Seed {figures.seed}; {figures.seconds:.0f} s in all. "
        f"Salesforce is polled every {settings['people']:g} s and Account Engagement every {settings['prospects']:g} s "
        f"(as shipped: 10 s both); both answer after {settings['latency_ms']:g} ms; "
        f"Account Engagement's reads trail its writes by {settings['lag']:g} s (in reality up to 60 s). "
        "Where two different values are left alone (fill_blanks), being in step means just that."
    )
