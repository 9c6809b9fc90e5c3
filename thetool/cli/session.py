"""One run of `thetool analyze`: what is sent, and where its answers go."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

import click

from thetool.cli.encodings import contradiction
from thetool.cli.findings import flat, for_spreadsheet, print_analysis, with_addresses
from thetool.cli.following import FINISHED, Progress, follow, many, require_completed
from thetool.cli.form import Form
from thetool.cli.inputs import Input
from thetool.cli.patience import Patience
from thetool.cli.pictures import Pictures, save
from thetool.cli.problems import CommandFailed, ServiceProblem, ServiceUnreachable, printable
from thetool.cli.report import Report
from thetool.cli.service import Answer, Service
from thetool.cli.show import print_json
from thetool.cli.spreadsheet import Spreadsheet
from thetool.cli.table_options import OF_READING, TASKS

FIRST_WAIT_SECONDS = 0.5
UPLOAD_SECONDS = 600.0
HEAD_BYTES = 65_537
"""So many first bytes tell what a file is."""
NO_ENTRY = (401, 403)
_KEY = "The key is the one in THETOOL_API_KEY."
HINTS = {
    "undecodable_text": "Name its encoding with --encoding windows-1252, say.",
    "unauthenticated": _KEY,
    "invalid_key": _KEY,
}


@dataclass(frozen=True)
class Shown:
    """Where answers go: rows of a spreadsheet, pictures, a page of one table; and in which form they are printed."""

    rows: Spreadsheet | None
    pictures: Pictures | None
    report: Report | None
    as_json: bool
    several: bool

    @property
    def printed(self) -> bool:
        """Whether they are printed at all."""
        return self.as_json or (self.rows is None and self.report is None)


class Session:
    """One run of the command: what is wanted of each input, and where it is shown."""

    def __init__(
        self, service: Service, given: dict[str, Any], encoding: str | None, wait: float | None, shown: Shown
    ) -> None:
        """Keep them; `given` are the options of `POST /analyze`."""
        self._service, self._given, self._encoding, self._wait = service, given, encoding, wait
        self._shown = shown
        self._of_tables = not OF_READING.isdisjoint(given) or TASKS.issuperset(given.get("tasks") or [""])
        self._patience = Patience()

    def analyze_all(self, inputs: list[Input]) -> int:
        """Send one after the other; how many failed.

        Raises:
            CommandFailed: the only one failed, or the service went away.
        """
        failed = sent = 0
        bar_would_disturb = self._shown.printed and sys.stdout.isatty()
        with many(len(inputs), shown=self._shown.several and not bar_would_disturb) as show:
            for place, one in enumerate(inputs):
                show(one.name, place, None)
                sent += 1
                try:
                    analysis = self._analysis(one, partial(show, one.name, place))
                except ServiceUnreachable:
                    raise
                except CommandFailed as problem:
                    failed += 1
                    self._take_problem(one, problem)
                    if isinstance(problem, ServiceProblem) and problem.status in NO_ENTRY:
                        break  # the others would be told the same
                else:
                    self._take(one, analysis)
        if self._shown.several:
            left = f", {len(inputs) - sent} not sent" if sent < len(inputs) else ""
            click.echo(f"{len(inputs)} files: {sent - failed} analysed, {failed} failed{left}.", err=True)
        return failed

    def _analysis(self, one: Input, show: Progress) -> dict[str, Any]:
        """The analysis, with its picture saved where that is wanted; or else its unfinished job."""
        place = self._shown.pictures.place_for(one) if self._shown.pictures else None
        analysis = self._found(one, show)
        if place and analysis.get("annotated"):
            save(place, self._service.download(analysis["annotated"]))
            analysis["annotated_file"] = str(place)
        return analysis

    def _found(self, one: Input, show: Progress) -> dict[str, Any]:
        """The analysis; or, when it is not there within the time to wait, its unfinished job."""
        answer = self._send(one)
        if answer.status != 202:
            analysis: dict[str, Any] = answer.body
            return analysis
        left = None if self._wait is None else max(0.0, self._wait - FIRST_WAIT_SECONDS)
        job_id = answer.headers["Location"].rpartition("/")[2]
        job = follow(self._service, job_id, seconds=left, show=show if self._shown.several else None)
        if job["status"] not in FINISHED:
            return job
        result: dict[str, Any] = require_completed(job)["result"]
        return result

    def _send(self, one: Input) -> Answer:
        """POST it; the answer is the analysis (200) or its job (202)."""
        seconds = FIRST_WAIT_SECONDS if self._wait is None else min(self._wait, FIRST_WAIT_SECONDS)
        headers = {"Prefer": f"wait={seconds:g}", "Idempotency-Key": str(uuid4())}
        if one.text is not None or one.url is not None:
            what = {"text": one.text} if one.url is None else {"url": one.url}
            if one.url is not None and self._encoding:
                self._note(one, "It is read in the encoding that its server names: --encoding is for files.")
            return self._post(json={**what, **self._given}, headers=headers)
        with one.open() as file:
            declared, options = self._declared(one, file.read(HEAD_BYTES))
            fields = [(name, _as_field(name, value)) for name, value in {**self._given, **options}.items()]
            form = Form(fields, file, one.filename, declared)
            return self._post(form=form, headers=headers, seconds=UPLOAD_SECONDS)

    def _post(self, **request: Any) -> Answer:
        """The answer, when the service takes it: repeated with one `Idempotency-Key`, it is analysed once."""
        return self._patience.ask(lambda: self._service.request("POST", "/analyze", **request))

    def _declared(self, one: Input, head: bytes) -> tuple[str | None, dict[str, str]]:
        """As what it is sent, and with which further options.

        The service judges by the content, and an ending says less (.ts is MPEG): nothing is declared but what options
        of the command say, which are for tables alone, or name an encoding.
        """
        kind = _kind(one, head)
        if kind == "text" and self._of_tables:
            kind, declared = "table", "text/csv"
        else:
            declared = None
        if self._encoding is None or kind not in ("text", "table"):
            return declared, {}
        if kind == "table":
            return declared, {"encoding": self._encoding}
        if told := contradiction(head, self._encoding):
            self._note(one, told)
        return f"text/plain; charset={self._encoding}", {}

    @staticmethod
    def _note(one: Input, told: str) -> None:
        click.echo(f"{printable(one.name)}: {told}", err=True)

    def _take(self, one: Input, analysis: dict[str, Any]) -> None:
        """Show an analysis, or the job that it still is."""
        unfinished = "progress" in analysis
        shown = analysis if unfinished else with_addresses(analysis, self._service.url)
        if self._shown.rows is not None:
            told = {name: analysis[name] for name in ("id", "status")} if unfinished else flat(shown)
            self._shown.rows.add({"input": for_spreadsheet(one.name), **told})
        if self._shown.report is not None and not unfinished:
            self._shown.report.write(one.name, analysis)
        if self._shown.as_json:
            print_json({"input": one.name, **analysis} if self._shown.several else analysis, line=self._shown.several)
        elif unfinished:
            click.echo(f"Not finished yet; see: thetool jobs show {analysis['id']}")
        elif self._shown.printed:
            print_analysis(one.name if self._shown.several else None, shown)

    def _take_problem(self, one: Input, problem: CommandFailed) -> None:
        """Tell what is wrong with one of several; the only one's problem is the command's."""
        told = problem.document if isinstance(problem, ServiceProblem) else {"detail": problem.message}
        if isinstance(problem, ServiceProblem) and (hint := HINTS.get(str(problem.code))):
            problem = CommandFailed(f"{problem.message} {hint}")
        if self._shown.rows is not None:
            self._shown.rows.add(
                {"input": for_spreadsheet(one.name), "status": "failed", "problem": for_spreadsheet(problem.message)}
            )
        if not self._shown.several:
            raise problem
        if self._shown.as_json:
            print_json({"input": one.name, "status": "failed", "problem": told}, line=True)
        click.echo(f"{printable(one.name)}: ", nl=False, err=True)
        problem.show()


def _kind(one: Input, head: bytes) -> str | None:
    """What the service will take it for; None for what it will refuse."""
    from thetool.analyze.kinds import kind_of
    from thetool.web.problems import UnsupportedMediaType

    try:
        return kind_of(head, None, one.filename)
    except UnsupportedMediaType:
        return None


def _as_field(name: str, value: Any) -> str:
    """An option as a form has it."""
    if isinstance(value, str):
        return value
    return ",".join(value) if name == "tasks" else json.dumps(value)
