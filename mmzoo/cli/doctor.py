"""`mmzoo doctor`."""

from __future__ import annotations

import json

import click

from mmzoo.cli.options import json_option


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Check versions, devices, disk and cache, and train a tiny model.

    \b
    Example:
      mmzoo doctor
    """
    from mmzoo.doctor import examine

    findings = examine()
    if as_json:
        click.echo(json.dumps([finding._asdict() for finding in findings]))
    else:
        width = max(len(finding.name) for finding in findings)
        for finding in findings:
            mark = click.style("ok  ", fg="green") if finding.ok else click.style("bad ", fg="red")
            click.echo(f"{mark}{finding.name:<{width}}  {finding.text}")
    if not all(finding.ok for finding in findings):
        raise SystemExit(1)
