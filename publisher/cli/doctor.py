"""doctor: what would stop this publication from sending."""

from typing import Annotated

import typer

from publisher.cli.output import DEFAULT_CONFIG, Config, Json, open_publication, print_json, show
from publisher.runtime.diagnosis import diagnose, list_records


def doctor_command(
    offline: Annotated[bool, typer.Option("--offline", help="Don't connect to the relay.")] = False,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Say what would stop this publication from sending, and print its DNS records.

    It looks at the settings, the database, the disk and the DKIM key, and logs in
    at the relay. Nothing is sent.

    \b
    Examples:
      publisher doctor
      publisher doctor --offline
    """
    folder, settings = open_publication(config)
    findings = list(diagnose(folder, settings, is_online=not offline))
    records = list_records(folder, settings)
    is_fit = all(finding.level != "error" for finding in findings)
    if json:
        print_json({"ok": is_fit, "findings": findings, "records": records})
        return 0
    for finding in findings:
        show(f"{finding.level:<8}{finding.name}: {finding.message}")
        if finding.fix:
            show(f"        {finding.fix}")
    if records:
        show("DNS records to publish:")
    for record in records:
        show(f"  {record.name}  {record.type}  {record.value}")
    show("It can send." if is_fit else "It cannot send yet, because of the errors above.")
    return 0
