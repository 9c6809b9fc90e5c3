"""What goes wrong with images: each problem says what to do next."""

from __future__ import annotations

from thetool.web.problems import Problem, UnsupportedMediaType

TAKEN = "JPEG, PNG, WebP, GIF, BMP and TIFF"


class UnsupportedImage(UnsupportedMediaType):
    """The content is no image, or one of a format that is not read here."""

    title = "The content is not an image that is read here"


class DamagedImage(Problem):
    """It begins as an image, but cannot be decoded: cut off, corrupt, or made to do harm."""

    status = 422
    code = "damaged_image"
    title = "The image is damaged"


class ImageTooLarge(Problem):
    """It has more pixels, or needs more memory, than an image may; small files can hold very large images."""

    status = 422
    code = "image_too_large"
    title = "The image is too large"


class DecodingTimedOut(Problem):
    """Decoding it took longer than an image may take, and was stopped."""

    status = 422
    code = "decoding_timed_out"
    title = "Decoding the image took too long"


class DecoderUnavailable(Problem):
    """No decoder process could be started just now; the image itself may be sound."""

    status = 503
    code = "decoder_unavailable"
    title = "Images cannot be decoded just now"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"Retry-After": "2"})
