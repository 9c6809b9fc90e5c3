"""What can be wrong with a model, with what is sent to it, and with a run of it."""

from __future__ import annotations

from thetool.web.problems import Problem


class InvalidInput(Problem):
    """What was sent does not fit the model's inputs; `input`, `came` and `expected` say which, and how."""

    status = 422
    code = "invalid_input"
    title = "The input does not fit the model"

    @classmethod
    def of(cls, name: str, came: str, expected: str, hint: str = "") -> InvalidInput:
        """The problem of one input: what came, and what was expected."""
        said = f"Input {name!r}: {came} came, {expected} was expected."
        return cls(f"{said} {hint}".rstrip(), input=name, came=came, expected=expected)


class PredictionFailed(Problem):
    """The model stopped with an error on this input."""

    status = 422
    code = "prediction_failed"
    title = "The model failed on this input"


class PredictionTimedOut(Problem):
    """The prediction took longer than `PREDICT_TIMEOUT_SECONDS`; it was stopped."""

    status = 504
    code = "prediction_timeout"
    title = "The prediction took too long"


class PredictionsBusy(Problem):
    """The prediction did not begin in time: too many others wait."""

    status = 503
    code = "predictions_busy"
    title = "Too many predictions are waiting"


class InvalidModel(Problem):
    """The file is not a model that can be served; it says why. With `model_status`, that is in the model, too."""

    status = 422
    code = "invalid_model"
    title = "The file cannot be served as a model"


class ModelTooLarge(Problem):
    """The model, loaded, takes more than `MODEL_CACHE_BYTES`."""

    status = 503
    code = "model_too_large"
    title = "The model does not fit into memory"
