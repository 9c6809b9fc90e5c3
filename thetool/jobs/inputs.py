"""Files that jobs work on: stored when a job is submitted, and maybe deleted when it runs."""

from __future__ import annotations

from thetool.web.problems import Conflict


class InputGone(Conflict):
    """The file that the job was to work on is deleted: it cannot run, or run again. Send it again."""

    code = "input_gone"
    title = "The file is no longer here"
