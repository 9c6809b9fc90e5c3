"""The real application, with the storm's kinds and a route that makes a job."""

from __future__ import annotations

from flask import request

from tests.chaos import kinds
from thetool.access.records import MASTER_OWNER_ID
from thetool.app import create_app
from thetool.jobs.submit import submit

app = create_app()


@app.post("/chaos/<kind>")
def make(kind: str) -> dict[str, str]:
    """Make a job; it runs at once where a slot is free."""
    made = submit(f"chaos.{kind}", kinds.Work.model_validate(request.get_json()), owner_id=MASTER_OWNER_ID)
    return {"job_id": str(made.job_id)}
