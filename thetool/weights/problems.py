"""What goes wrong with weights: each problem says how to mend it, and answers 503 when it reaches a request."""

from __future__ import annotations

from collections.abc import Sequence

from thetool.web.problems import Problem


class WeightsUnavailable(Problem):
    """A model cannot be used, because its weights are not here; `how_to` says what to do about it."""

    status = 503
    code = "weights_unavailable"
    title = "Model weights are not here"

    def __init__(self, role: str, what: str, how_to: str) -> None:
        super().__init__(f"{what} To mend it, {how_to}", role=role, how_to=how_to)
        self.role = role
        self.what = what
        self.how_to = how_to


class WeightsMissing(WeightsUnavailable):
    """The weights were never pulled, or a file of them has gone or has the wrong size."""

    code = "weights_missing"

    def __init__(self, role: str, name: str, what: str) -> None:
        super().__init__(role, f"The {role} model {name} is not here: {what}.", f"run: thetool weights pull {role}")
        self.name = name


class WeightsDamaged(WeightsUnavailable):
    """A file of the weights is here in the right size, with another content: it cannot be loaded, and must not be."""

    code = "weights_damaged"
    title = "Model weights are damaged"

    def __init__(self, role: str, name: str, files: Sequence[str]) -> None:
        super().__init__(
            role, f"Of the {role} model {name}, {', '.join(files)} is damaged.", f"run: thetool weights pull {role}"
        )


class PullFailed(WeightsUnavailable):
    """No source gave the weights; nothing was left behind."""

    code = "weights_pull_failed"
    title = "Model weights could not be pulled"


class UnknownModel(WeightsUnavailable):
    """The catalogue has no such role, or no such model for it."""

    code = "unknown_model"
    title = "Unknown model"

    def __init__(self, role: str, name: str | None, known: Sequence[str]) -> None:
        what = f"There is no model {name!r} for {role}." if name and known else f"There is no role {role!r}."
        super().__init__(role, what, f"choose one of: {', '.join(known) or 'see thetool weights list'}")


class PackageMissing(WeightsUnavailable):
    """The model's weights are here, but a Python package that runs it is not."""

    code = "package_missing"
    title = "A package that the model needs is not installed"
