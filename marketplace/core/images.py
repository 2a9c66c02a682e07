"""Uploaded images: hostile until decoded, bounded and written anew by us.

Only PNG, JPEG and WebP are taken. The pixels are decoded and encoded again, so that nothing
of the upload (metadata, trailing data, a script) survives. SVG is refused: it is a program.
"""

import hashlib
import io
import struct
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

MAX_UPLOAD_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 24_000_000
FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
_EXTENSIONS = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp"}


@dataclass(frozen=True)
class ImageRule:
    """What an image must be: sizes in pixels; `keep_within` bounds the stored one."""

    label: str
    min_width: int
    min_height: int
    keep_within: tuple[int, int]
    square: bool = False


LOGO = ImageRule("logo", 128, 128, (512, 512), square=True)
SCREENSHOT = ImageRule("screenshot", 640, 400, (1600, 1200))


@dataclass(frozen=True)
class CleanImage:
    """An image that we encoded. `key` is made of its content's SHA-256."""

    key: str
    data: bytes
    content_type: str
    width: int
    height: int


class ImageRefusedError(ValueError):
    """The upload cannot be used; the message is for the person."""


def clean_image(upload: bytes, rule: ImageRule) -> CleanImage:
    """Decode, check against `rule`, bound, and encode anew. Raises ImageRefusedError."""
    if not upload:
        raise ImageRefusedError("The file is empty.")
    if len(upload) > MAX_UPLOAD_BYTES:
        raise ImageRefusedError("The file is larger than 5 MB. Use a smaller one.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(upload), formats=list(FORMATS))
            # A phone's JPEG may hold a second picture behind the first; Pillow calls it MPO.
            file_format = "JPEG" if image.format == "MPO" else image.format or ""
            # Checked before the pixels are decoded, so that a small file cannot fill the memory.
            if image.width * image.height > MAX_PIXELS:
                raise ImageRefusedError("The image has too many pixels. Use at most 24 million.")
            image.load()
    except UnidentifiedImageError:
        raise ImageRefusedError("Use a PNG, JPEG or WebP image.") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageRefusedError("The image has too many pixels. Use at most 24 million.") from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        if isinstance(error, ImageRefusedError):
            raise
        raise ImageRefusedError("The image is damaged and cannot be read.") from error
    upright = _upright(_eight_bit(image))
    _check(upright, rule)
    upright.thumbnail(rule.keep_within)
    data = _encode(upright, file_format)
    digest = hashlib.sha256(data).hexdigest()
    return CleanImage(
        key=f"{digest[:2]}/{digest}.{_EXTENSIONS[file_format]}",
        data=data,
        content_type=FORMATS[file_format],
        width=upright.width,
        height=upright.height,
    )


def _eight_bit(image: Image.Image) -> Image.Image:
    """Greys of 16 bits scaled to 8; Pillow's own conversion cuts all above 255 to white."""
    if not image.mode.startswith("I"):
        return image
    scaled = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    scaled.info.pop("transparency", None)  # a shade of the 65,536
    return scaled


def _upright(image: Image.Image) -> Image.Image:
    """The image turned as its EXIF data says; as it is when they cannot be read."""
    try:
        return ImageOps.exif_transpose(image)
    except (SyntaxError, ValueError, struct.error):
        # The pixels are sound, and no metadata are kept.
        return image


def _check(image: Image.Image, rule: ImageRule) -> None:
    if image.width < rule.min_width or image.height < rule.min_height:
        raise ImageRefusedError(
            f"The {rule.label} must be at least {rule.min_width} by {rule.min_height} pixels; "
            f"this one is {image.width} by {image.height}."
        )
    if rule.square and abs(image.width - image.height) > max(image.width, image.height) * 0.02:
        raise ImageRefusedError(
            f"The {rule.label} must be square; this one is {image.width} by {image.height}."
        )


def _encode(image: Image.Image, file_format: str) -> bytes:
    out = io.BytesIO()
    if file_format == "JPEG":
        _bare(image, "RGB").save(out, "JPEG", quality=86, optimize=True)
    elif file_format == "WEBP":
        _bare(image, "RGBA" if image.has_transparency_data else "RGB").save(out, "WEBP")
    else:
        keep = image.mode if image.mode in {"P", "L", "RGB", "RGBA"} else "RGBA"
        _bare(image, keep).save(out, "PNG", optimize=True)
    return out.getvalue()


def _bare(image: Image.Image, mode: str) -> Image.Image:
    """A copy without comments, profiles and other text; a palette keeps its transparency."""
    bare = image.convert(mode) if image.mode != mode else image.copy()
    bare.info = {key: value for key, value in bare.info.items() if key == "transparency"}
    return bare
