"""`thetool keys`: issue, list, rotate and revoke keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import click

from thetool.cli.service import Service, for_service
from thetool.cli.show import age, in_bytes, json_option, moment, plain, print_fields, print_json, print_table

KEYS = "/api/v1/keys"
PAGE = 200
COLUMNS = ("id", "name", "owner", "scopes", "limits", "created", "expires", "last used")


@click.group()
def keys() -> None:
    """Issue, list, rotate and revoke keys of the service."""


@keys.command()
@click.argument("name")
@click.option("--owner", help="Whose its files, jobs and results are. [default: an owner named like the key]")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(["read", "write", "admin"]),
    multiple=True,
    help="What it may do; give it once for each. [default: read and write]",
)
@click.option("--rate-limit", type=click.IntRange(1), metavar="N", help="Requests a minute. [default: the service's]")
@click.option("--job-quota", type=click.IntRange(0), metavar="N", help="Unfinished jobs at one time.")
@click.option("--storage-quota", type=click.IntRange(0), metavar="BYTES", help="Bytes of stored files at one time.")
@click.option("--expires-in", type=click.FloatRange(0, min_open=True), metavar="DAYS", help="Days until it ends.")
@json_option
@for_service
def create(
    service: Service,
    name: str,
    owner: str | None,
    scopes: tuple[str, ...],
    rate_limit: int | None,
    job_quota: int | None,
    storage_quota: int | None,
    expires_in: float | None,
    as_json: bool,
) -> None:
    """Issue a key called NAME. It is shown this once."""
    wanted = {
        "name": name,
        "owner": owner,
        "scopes": list(scopes) or None,
        "rate_limit_per_minute": rate_limit,
        "job_quota": job_quota,
        "storage_quota_bytes": storage_quota,
        "expires_at": (datetime.now(UTC) + timedelta(days=expires_in)).isoformat() if expires_in else None,
    }
    given = {field: value for field, value in wanted.items() if value is not None}
    _show_issued(service.post(KEYS, json=given).body, as_json=as_json)


@keys.command("list")
@click.option("--owner", help="Only the keys of this owner.")
@click.option("--revoked", is_flag=True, help="Also keys that were revoked.")
@json_option
@for_service
def list_keys(service: Service, owner: str | None, revoked: bool, as_json: bool) -> None:
    """List keys, newest first; never their secrets."""
    query = {"owner": owner, "revoked": "true" if revoked else None, "limit": PAGE}
    listed = service.items(KEYS, query)
    if as_json:
        print_json(listed)
        return
    columns = (*COLUMNS, "revoked") if revoked else COLUMNS
    print_table(columns, [_row(key)[: len(columns)] for key in listed], empty="No keys.")


@keys.command()
@json_option
@for_service
def current(service: Service, as_json: bool) -> None:
    """Show whose key the commands use, and what it may do."""
    caller = service.get(f"{KEYS}/current").body
    if as_json:
        print_json(caller)
    else:
        print_fields((name.replace("_", " "), value) for name, value in caller.items())


@keys.command()
@click.argument("key_id", metavar="ID", type=click.UUID)
@for_service
def revoke(service: Service, key_id: UUID) -> None:
    """End the key ID. What it made stays its owner's."""
    service.request("DELETE", f"{KEYS}/{key_id}")
    click.echo(f"Revoked {key_id}.")


@keys.command()
@click.argument("key_id", metavar="ID", type=click.UUID)
@click.option("--grace", type=click.IntRange(0), metavar="SECONDS", help="How long the old secret still works.")
@json_option
@for_service
def rotate(service: Service, key_id: UUID, grace: int | None, as_json: bool) -> None:
    """Give the key ID a new secret, shown this once; owner and settings stay."""
    _show_issued(service.post(f"{KEYS}/{key_id}/rotate", query={"grace_seconds": grace}).body, as_json=as_json)


@keys.command("webhook-secret")
@click.argument("key_id", metavar="[ID]", type=click.UUID, required=False)
@json_option
@for_service
def webhook_secret(service: Service, key_id: UUID | None, as_json: bool) -> None:
    """Make the secret that signs the webhooks of the key ID, or of the key in use. It is shown this once."""
    made = service.post(f"{KEYS}/{key_id or 'current'}/webhook-secret").body
    if as_json:
        print_json(made)
        return
    click.echo(plain(made["webhook_secret"]))
    click.echo("Keep it now: it is not shown again. The one before signs along for a day.", err=True)


def _show_issued(key: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(key)
        return
    fields = (
        "id",
        "name",
        "owner",
        "scopes",
        "rate_limit_per_minute",
        "job_quota",
        "storage_quota_bytes",
        "expires_at",
    )
    print_fields((name.replace("_", " "), key.get(name)) for name in fields)
    click.echo(f"\n{plain(key['key'])}\n")
    click.echo("Keep it now: it is not shown again.", err=True)


def _row(key: dict[str, Any]) -> tuple[Any, ...]:
    dates = (age(key["created_at"]), moment(key["expires_at"]), age(key["last_used_at"]), moment(key["revoked_at"]))
    return (key["id"], key["name"], key["owner"], key["scopes"], _limits(key), *dates)


def _limits(key: dict[str, Any]) -> str:
    """The key's own limits in words; a dash where the service's hold."""
    rate, jobs, storage = (key.get(name) for name in ("rate_limit_per_minute", "job_quota", "storage_quota_bytes"))
    limits = (
        None if rate is None else f"{rate}/min",
        None if jobs is None else f"{jobs} jobs",
        None if storage is None else in_bytes(storage),
    )
    return ", ".join(limit for limit in limits if limit) or "–"
