"""`thetool models`: send your own models, list and show them, ask them, move their aliases."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from thetool.cli.following import follow
from thetool.cli.form import Form
from thetool.cli.model_history import history
from thetool.cli.model_inputs import asked_of
from thetool.cli.model_reference import MODELS, by_name, id_of, path_of
from thetool.cli.model_views import print_model, print_prediction, row
from thetool.cli.problems import CommandFailed, ServiceProblem
from thetool.cli.sending import sending
from thetool.cli.service import Service, for_service
from thetool.cli.show import json_option, print_json, print_table

STATUSES = ("pending", "uploaded", "validating", "ready", "error", "archived")
COLUMNS = ("name", "version", "status", "aliases", "takes", "gives", "size", "made", "id")
TAKES_A_FILE = ("pending", "uploaded", "error")
UPLOAD_SECONDS = 3600.0
FIRST_WAIT = {"Prefer": "wait=0.5"}


@click.group()
def models() -> None:
    """Serve your own models: send ONNX files, ask them, move their aliases."""


@models.command()
@click.argument("file", metavar="FILE.onnx", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", help="What the model is called. [default: the file's name]")
@click.option("--version", default="1.0.0", metavar="1.2.3", help="By Semantic Versioning. [default: 1.0.0]")
@click.option("--description", metavar="TEXT", help="What it is for.")
@click.option("--tag", "tags", multiple=True, metavar="WORD", help="A word to find it by; may be given several times.")
@json_option
@for_service
def push(
    service: Service,
    file: Path,
    name: str | None,
    version: str,
    description: str | None,
    tags: tuple[str, ...],
    as_json: bool,
) -> None:
    """Send FILE.onnx as a version of a model, have it validated, and show what it takes and gives.

    A version whose file was refused takes another one: say the same again.
    """
    wanted = {"name": name or file.stem, "version": version, "description": description, "tags": list(tags)}
    model_id, made = _model_for(service, {key: value for key, value in wanted.items() if value not in (None, [])})
    try:
        job_id = _upload(service, model_id, file)
    except ServiceProblem as problem:
        if made and problem.code == "invalid_model":  # the version would stay without a file
            service.request("DELETE", f"{MODELS}/{model_id}")
        raise
    if job_id is not None:
        follow(service, job_id)
    model = service.get(f"{MODELS}/{model_id}").body
    if model["status"] != "ready":
        why = model["error_message"] or f"It is {model['status']}."
        raise CommandFailed(
            f"{model['name']} {model['version']} cannot be served: {why} Send another file with the same command."
        )
    if as_json:
        print_json(model)
    else:
        print_model(model)


def _model_for(service: Service, wanted: dict[str, Any]) -> tuple[str, bool]:
    """The id of a new model and true; or of that version, where it is there already and still takes a file."""
    try:
        return str(service.post(MODELS, wanted).body["id"]), True
    except ServiceProblem as problem:
        if problem.code != "model_exists":
            raise
        versions = service.get(f"{by_name(wanted['name'])}/versions").body["versions"]
        there = [one for one in versions if one["version"] == wanted["version"] and one["status"] in TAKES_A_FILE]
        if not there:
            raise
        return str(there[0]["id"]), False


def _upload(service: Service, model_id: str, file: Path) -> str | None:
    """Send the file; the job that validates it, if that goes on."""
    try:
        opened = file.open("rb")
    except OSError as error:
        raise CommandFailed(f"{file} cannot be read: {error.strerror}.") from error
    with opened, sending(opened, file.name) as read:
        form = Form([], read, file.name)
        path, query = f"{MODELS}/{model_id}/upload", {"validate": "true"}
        try:
            answer = service.request("POST", path, query=query, form=form, headers=FIRST_WAIT, seconds=UPLOAD_SECONDS)
        except ServiceProblem as problem:
            if problem.document.get("model_status") != "error":
                raise
            return None  # the model says why
    validation: dict[str, Any] = answer.body["validation"]
    return None if validation["valid"] is not None else str(validation["job_id"])


@models.command("list")
@click.option("--name", help="Only versions of this model.")
@click.option("--status", type=click.Choice(STATUSES), help="Only models of this status.")
@click.option("--tag", help="Only models with this tag.")
@click.option("--search", metavar="WORDS", help="Only models with these words in name or description.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, metavar="N", help="How many. [default: 50]")
@json_option
@for_service
def list_models(service: Service, limit: int, as_json: bool, **filters: str | None) -> None:
    """List models, newest first: each version with its status, its aliases, what it takes and gives."""
    listed = service.items(MODELS, {**filters, "limit": min(limit, 200)}, most=limit)
    if as_json:
        print_json(listed)
    else:
        print_table(COLUMNS, map(row, listed), empty="No models. Send one with: thetool models push FILE.onnx")


@models.command()
@click.argument("model", metavar="MODEL")
@json_option
@for_service
def show(service: Service, model: str, as_json: bool) -> None:
    """Show MODEL: a NAME, NAME@ALIAS, NAME:VERSION or ID, as `predict` takes it. With its other versions."""
    found = service.get(f"{MODELS}/{id_of(service, model)}").body
    if as_json:
        print_json(found)
        return
    print_model(found)
    versions = service.items(MODELS, {"name": found["name"], "limit": 200})
    of_owner = [one for one in versions if one["owner_id"] == found["owner_id"]]
    click.echo()
    rows = [(one["version"], one["status"], ", ".join(one["aliases"]) or None) for one in of_owner]
    print_table(("version", "status", "aliases"), rows, empty="No versions.")


@models.command()
@click.argument("model", metavar="MODEL")
@click.argument(
    "file", metavar="[FILE | -]", required=False, type=click.Path(exists=True, dir_okay=False, allow_dash=True)
)
@click.option(
    "--input",
    "given",
    multiple=True,
    metavar="NAME=VALUE",
    help="The input NAME: nested lists as JSON, or @FILE with JSON or .npy; may be given several times.",
)
@click.option("--skip-cache", is_flag=True, help="Run the model even where the answer is cached.")
@json_option
@for_service
def predict(
    service: Service, model: str, file: str | None, given: tuple[str, ...], skip_cache: bool, as_json: bool
) -> None:
    """Ask MODEL (a NAME, NAME@ALIAS, NAME:VERSION or ID) for a prediction.

    What is asked is in FILE or standard input (-), as JSON: `input_data` or `instances` as the API takes them, a list
    of instances, or an object with a value for each input. FILE may also be a .npy file or, for a model with a
    signature, a picture or a text. A NAME asks what its alias production names, else its highest ready version.
    """
    asked = asked_of(file, given, skip_cache=skip_cache)
    answer = service.request("POST", f"{path_of(model)}/predict", **asked).body
    if as_json:
        print_json(answer)
    else:
        print_prediction(answer)


@models.command()
@click.argument("name")
@click.argument("alias")
@click.argument("version", required=False)
@click.option("--canary", metavar="VERSION", help="Another version that gets a share of the predictions.")
@click.option("--percent", type=click.FloatRange(0, 100), metavar="P", help="Which share that is. [default: 5]")
@click.option("--rollback", is_flag=True, help="Let it name what it named before.")
@click.option("--delete", is_flag=True, help="Delete the alias; the version stays.")
@json_option
@for_service
def alias(
    service: Service,
    name: str,
    alias: str,
    version: str | None,
    canary: str | None,
    percent: float | None,
    rollback: bool,
    delete: bool,
    as_json: bool,
) -> None:
    """Let ALIAS (such as production) of the model NAME name VERSION from now on, in one step."""
    if (version is not None) + rollback + delete != 1:
        raise click.UsageError("Say one of: a VERSION, --rollback, --delete.")
    if canary is None and percent is not None or canary is not None and version is None:
        raise click.UsageError("--percent goes with --canary, and --canary with a VERSION.")
    path = f"{by_name(name)}/aliases/{quote(alias, safe='')}"
    if delete:
        service.request("DELETE", path)
        click.echo(f"Deleted {name}@{alias}.")
        return
    share = {"canary_version": canary, "canary_percent": percent or 5.0} if canary else {}
    moved = (
        service.post(f"{path}/rollback").body
        if rollback
        else service.request("PUT", path, json={"version": version, **share}).body
    )
    if as_json:
        print_json(moved)
        return
    told = f"{name}@{alias} is {moved['version']} now"
    if moved["canary_version"]:
        told += f", and {moved['canary_percent']:g} % of predictions go to {moved['canary_version']}"
    click.echo(f"{told}.")


models.add_command(history)
