"""`mmzoo doctor`."""

from __future__ import annotations

import json

import click

from mmzoo.cli.options import json_option


@click.command(short_help="Check versions, devices, disk and cache; train a tiny net.")
@json_option
def doctor(as_json: bool) -> None:
    """Check versions, devices, disk and cache, and train a tiny model.

    What is bad is said with a way to mend it, and makes the exit code 1.

    \b
    Example:
      mmzoo doctor
    """
    from mmzoo.cli.text import definitions, styled
    from mmzoo.doctor import examine

    findings = []
    for finding in examine():
        findings.append(finding)
        if as_json:
            continue
        # One at a time: the last ones take some seconds.
        mark, colour = ("ok  ", "green") if finding.ok else ("bad ", "red")
        [text] = definitions({f"{finding.name:<13}": finding.text}, indent=mark)
        click.echo(styled(mark, fg=colour) + text.removeprefix(mark))
        if finding.mend:
            click.echo(f"    To mend it: {finding.mend}")
    if as_json:
        click.echo(json.dumps([finding._asdict() for finding in findings]))
    if not all(finding.ok for finding in findings):
        raise SystemExit(1)
