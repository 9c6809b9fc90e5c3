"""What models' routes refuse."""

from __future__ import annotations

from thetool.web.problems import Conflict


class ModelExists(Conflict):
    """You have a model of this name and version already."""

    code = "model_exists"
    title = "There is such a version already"


class ModelNotReady(Conflict):
    """The model cannot be asked for predictions yet, or no longer; `model_status` says where it is."""

    code = "model_not_ready"
    title = "The model is not ready"


class FileNotTaken(Conflict):
    """The model has a file that it is validated by, or is changed by somebody else just now; make a new version."""

    code = "file_not_taken"
    title = "The model takes no file now"


class NothingToValidate(Conflict):
    """The model has no file, or is validated already."""

    code = "nothing_to_validate"
    title = "There is nothing to validate"


class StatusNotEarned(Conflict):
    """The model cannot go to that status by being told to."""

    code = "status_not_earned"
    title = "The model has not earned this status"


class ModelInUse(Conflict):
    """Aliases name the model; move or delete them first."""

    code = "model_in_use"
    title = "Aliases name the model"


class NothingToRollBack(Conflict):
    """The alias has named no other model before that is still ready."""

    code = "nothing_to_roll_back"
    title = "There is no earlier version to go back to"
