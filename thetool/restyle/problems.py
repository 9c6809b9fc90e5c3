"""What goes wrong with restyling: each problem says what to do next."""

from __future__ import annotations

from thetool.config import SettingsError
from thetool.web.problems import Problem, ValidationFailed


class UnfitPhoto(ValidationFailed):
    """The photo is too small or too narrow to show a room."""

    code = "unfit_photo"
    title = "The photo cannot be restyled"


class UnknownStyle(ValidationFailed):
    """There is no such style; `styles` lists those there are."""

    code = "unknown_style"
    title = "There is no such style"


class StylesUnreadable(SettingsError, Problem):  # noqa: N818  a problem, like those around it
    """The file that `RESTYLE_STYLES` names is not there, or is no file of styles: its operator has to mend it.

    At the start it ends the service, as any wrong setting does; a change that breaks the file later is told so.
    """

    status = 503
    code = "styles_unreadable"
    title = "The styles cannot be read"


class MaskDoesNotFit(ValidationFailed):
    """The mask has another shape than the photo."""

    code = "mask_does_not_fit"
    title = "The mask does not fit the photo"


class RestyleUnavailable(Problem):
    """No worker anywhere can restyle just now: nobody has the packages, the weights and a device."""

    status = 503
    code = "restyle_unavailable"
    title = "Nobody can restyle just now"


class OutOfDeviceMemory(Problem):
    """The device has too little memory, even for one small picture."""

    status = 503
    code = "out_of_device_memory"
    title = "The device has too little memory"


class UnsafeResult(Problem):
    """The safety checker found the result unfit to be shown; it was not kept."""

    status = 422
    code = "unsafe_result"
    title = "The result was withheld by the safety checker"


class NothingToRepaint(Problem):
    """What was asked to be kept, removed or repainted leaves nothing to paint."""

    status = 422
    code = "nothing_to_repaint"
    title = "There is nothing to repaint"
