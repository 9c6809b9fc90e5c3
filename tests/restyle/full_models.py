"""The models of a restyling in their full size, with random weights, from their published configurations.

They are for `scripts/bench/restyle.py`: how long a network takes does not depend on the values in it. Saved as
bfloat16: 4.5 GB on the disk.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.restyle.tiny_models import named, tokenizer_in
from thetool.vision.torch_ops import make_torchvision_importable

CONTROL: dict[str, Any] = {"cross_attention_dim": 768, "attention_head_dim": 8}


def make_all(folder: Path) -> dict[str, str]:
    """Make them below `folder`; gives the settings that name them."""
    make_torchvision_importable()
    import torch

    torch.manual_seed(0)
    _base(folder / "base")
    from diffusers import ControlNetModel
    from transformers import DPTConfig, DPTForDepthEstimation, DPTImageProcessor, Sam2Config, Sam2Model, Sam2Processor
    from transformers.models.sam2 import Sam2ImageProcessor

    for name in ("depth-control", "edge-control"):
        ControlNetModel(**CONTROL).to(torch.bfloat16).save_pretrained(folder / name)
    large = DPTConfig(
        hidden_size=1024,
        num_hidden_layers=24,
        num_attention_heads=16,
        intermediate_size=4096,
        backbone_out_indices=[5, 11, 17, 23],
        neck_hidden_sizes=[256, 512, 1024, 1024],
    )
    DPTForDepthEstimation(large).to(torch.bfloat16).save_pretrained(folder / "depth")
    DPTImageProcessor().save_pretrained(folder / "depth")
    Sam2Model(Sam2Config()).save_pretrained(folder / "masks")
    Sam2Processor(Sam2ImageProcessor()).save_pretrained(folder / "masks")
    return named(folder)


def _base(folder: Path) -> None:
    """Stable Diffusion 1.5: UNet of 860 M numbers, VAE, CLIP's ViT-L/14 text encoder."""
    import torch
    from diffusers import AutoencoderKL, DPMSolverMultistepScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    unet = UNet2DConditionModel(sample_size=64, cross_attention_dim=768, attention_head_dim=8)
    vae = AutoencoderKL(
        block_out_channels=(128, 256, 512, 512),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=2,
        latent_channels=4,
        sample_size=512,
    )
    scheduler = DPMSolverMultistepScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", num_train_timesteps=1000, steps_offset=1
    )
    tokenizer, words = tokenizer_in(folder.parent / "tokenizer")
    encoder = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(words),
            hidden_size=768,
            intermediate_size=3072,
            num_hidden_layers=12,
            num_attention_heads=12,
            max_position_embeddings=77,
            bos_token_id=words["<|startoftext|>"],
            eos_token_id=words["<|endoftext|>"],
            pad_token_id=words["<|endoftext|>"],
        )
    )
    StableDiffusionPipeline(
        vae=vae,
        text_encoder=encoder,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).to(torch.bfloat16).save_pretrained(folder)
