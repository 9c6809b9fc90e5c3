"""Small pictures of a painting on its way, straight from its latents: decoding those takes as long as several steps."""

from __future__ import annotations

import io
from typing import Any

MEDIA_TYPE = "image/jpeg"
LONGEST = 256
_QUALITY = 70
# What one unit of each of Stable Diffusion 1.5's four channels adds to red, green and blue: a linear fit that is as old
# as the model (ComfyUI's `latent_formats.py` has these numbers).
_RED_GREEN_BLUE = (
    (0.3512, 0.2297, 0.3227),
    (0.3250, 0.4974, 0.2350),
    (-0.2829, 0.1762, 0.2721),
    (-0.2120, -0.2616, -0.7177),
)


def preview(latents: Any) -> bytes:
    """A JPEG of latents (4, height / 8, width / 8), enlarged; colours and shapes are right, details are not."""
    import torch
    from PIL import Image

    factors = torch.tensor(_RED_GREEN_BLUE, device=latents.device, dtype=torch.float32)
    colours = torch.einsum("chw,cr->hwr", latents.float(), factors)
    pixels = ((colours / 2 + 0.5).clamp(0, 1) * 255).round().byte().cpu().numpy()
    image = Image.fromarray(pixels)
    scale = LONGEST / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    file = io.BytesIO()
    image.resize(size, Image.Resampling.BICUBIC).save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()
