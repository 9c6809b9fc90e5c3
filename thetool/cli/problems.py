"""What a command says, and how it exits, when something went wrong: always one line, on standard error."""

from __future__ import annotations

from typing import IO, Any

import click

EXIT_PROBLEM = 1
EXIT_UNREACHABLE = 3
EXIT_INTERRUPTED = 130


class CommandFailed(click.ClickException):
    """The command could not do what it was asked for; exit status 1."""

    exit_code = EXIT_PROBLEM

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the one line."""
        click.secho("Error: ", fg="red", bold=True, nl=False, err=True)
        click.echo(printable(self.message), err=True)


class ServiceProblem(CommandFailed):
    """The service answered with a problem (RFC 9457)."""

    def __init__(self, status: int, document: dict[str, Any], retry_after: str | None = None) -> None:
        title, detail = document.get("title"), document.get("detail")
        said = ": ".join(str(part).rstrip(".") for part in dict.fromkeys((title, detail)) if part)
        quote = f"request {document['request_id']}" if document.get("request_id") else ""
        marks = ", ".join(str(part) for part in (document.get("code") or f"HTTP {status}", quote) if part)
        super().__init__(f"{said or 'The service refused'}. ({marks})")
        self.status = status
        self.code = document.get("code")
        self.title = str(title or "The service refused")
        self.document = document
        self.retry_after = float(retry_after) if retry_after and retry_after.isdecimal() else None
        """Seconds, when the service names them."""


class ServiceUnreachable(CommandFailed):
    """No service answers at the address; exit status 3."""

    exit_code = EXIT_UNREACHABLE

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"No service answers at {url} ({reason}). "
            "Start one with: scripts/run (or thetool serve). Or say where one is, with --url or THETOOL_URL."
        )


class BrokenOff(ServiceUnreachable):
    """A service is there, but its answer did not come whole; exit status 3."""

    def __init__(self, url: str, reason: str) -> None:
        CommandFailed.__init__(
            self, f"The service at {url} did not answer to the end ({reason}). It may be restarting: try again."
        )


def printable(text: str) -> str:
    """Text from elsewhere without what could steer the terminal: control characters become �."""
    return "".join(character if character.isprintable() or character in "\n\t" else "�" for character in text)
