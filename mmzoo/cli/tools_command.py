"""`mmzoo schema` and `mmzoo doctor`: tools around the editor and the machine."""

from __future__ import annotations

import json

import click

from mmzoo.cli.command_options import json_option


@click.command(short_help="Print the JSON Schema of configs, for editors.")
def schema() -> None:
    """Print the JSON Schema of configs. Editors use it to complete and check them.

    \b
    Example:
      mmzoo schema > mmzoo.schema.json
    """
    from mmzoo.config import Config
    from mmzoo.spec import json_schema

    click.echo(json.dumps(json_schema(Config), indent=2))


@click.command(short_help="Check versions, devices, disk and cache; train a tiny model.")
@json_option
def doctor(as_json: bool) -> None:
    """Check versions, devices, disk and cache, and train a tiny model.

    Each problem is printed with a suggested fix. The exit code is 1 if there are any.

    \b
    Example:
      mmzoo doctor
    """
    from mmzoo.cli.terminal_text import definitions, styled
    from mmzoo.doctor import examine

    findings = []
    for finding in examine():
        findings.append(finding)
        if as_json:
            continue
        # Printed one at a time, as the last checks take some seconds.
        mark, color = ("ok  ", "green") if finding.ok else ("bad ", "red")
        [text] = definitions({f"{finding.name:<13}": finding.text}, indent=mark)
        click.echo(styled(mark, fg=color) + text.removeprefix(mark))
        if finding.fix:
            click.echo(f"    To fix it: {finding.fix}")
    if as_json:
        click.echo(json.dumps([finding._asdict() for finding in findings]))
    if not all(finding.ok for finding in findings):
        raise SystemExit(1)
