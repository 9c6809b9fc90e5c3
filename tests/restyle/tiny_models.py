"""Every model of a restyling, tiny and with random weights, by the real classes, saved as a hub's folders are.

What they paint is noise, and their depths and masks mean nothing: they show that loading, calling and keeping work.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from thetool.vision.torch_ops import make_torchvision_importable

SIDE = 64


def make_all(folder: Path, unet: dict[str, Any] | None = None) -> dict[str, str]:
    """Make them below `folder`; gives the settings that name them. `unet` changes UNet and ControlNets."""
    make_torchvision_importable()
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    shape = {**UNET, **(unet or {})}
    _base(folder / "base", shape)
    _control(folder / "depth-control", shape)
    _control(folder / "edge-control", shape)
    _depth(folder / "depth")
    _masks(folder / "masks")
    return named(folder)


def named(folder: Path) -> dict[str, str]:
    """The settings that name what was made below `folder`."""
    return {
        "RESTYLE_BASE_MODEL": str(folder / "base"),
        "RESTYLE_DEPTH_CONTROL_MODEL": str(folder / "depth-control"),
        "RESTYLE_EDGE_CONTROL_MODEL": str(folder / "edge-control"),
        "RESTYLE_DEPTH_MODEL": str(folder / "depth"),
        "RESTYLE_MASK_MODEL": str(folder / "masks"),
    }


UNET: dict[str, Any] = {
    "block_out_channels": (4, 8),
    "layers_per_block": 1,
    "in_channels": 4,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
    "cross_attention_dim": 32,
    "attention_head_dim": 2,
    "norm_num_groups": 2,
}


SMALLEST: dict[str, Any] = {"block_out_channels": (4,), "down_block_types": ("CrossAttnDownBlock2D",)}
"""One block down and one up: what a compiler is done with soonest."""


def _base(folder: Path, shape: dict[str, Any]) -> None:
    from diffusers import AutoencoderKL, DPMSolverMultistepScheduler, StableDiffusionPipeline, UNet2DConditionModel

    up = tuple(kind.replace("Down", "Up") for kind in reversed(shape["down_block_types"]))
    unet = UNet2DConditionModel(sample_size=8, out_channels=4, up_block_types=up, **shape)
    vae = AutoencoderKL(
        block_out_channels=(4, 4, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=2,
        sample_size=SIDE,
    )
    scheduler = DPMSolverMultistepScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", num_train_timesteps=1000, steps_offset=1
    )
    tokenizer, words = tokenizer_in(folder.parent / "tokenizer")
    StableDiffusionPipeline(
        vae=vae,
        text_encoder=_text_encoder(words),
        tokenizer=tokenizer,
        unet=unet,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)


def add_safety_checker(folder: Path, *, objects: bool) -> None:
    """Give a base a checker that objects to everything, or to nothing."""
    import torch
    from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
    from transformers import CLIPConfig, CLIPImageProcessor

    vision = {"hidden_size": 32, "intermediate_size": 37, "num_hidden_layers": 1, "num_attention_heads": 4}
    config = CLIPConfig(vision_config={**vision, "image_size": 32, "patch_size": 8}, projection_dim=64)
    checker = StableDiffusionSafetyChecker(config)
    checker.concept_embeds_weights.data.fill_(-2.0 if objects else 2.0)
    checker.special_care_embeds_weights.data.fill_(2.0)
    checker.concept_embeds.data = torch.randn(17, 64)
    checker.special_care_embeds.data = torch.randn(3, 64)
    checker.save_pretrained(folder / "safety_checker")
    CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(
        folder / "feature_extractor"
    )
    index = json.loads((folder / "model_index.json").read_text())
    index["safety_checker"] = ["stable_diffusion", "StableDiffusionSafetyChecker"]
    index["feature_extractor"] = ["transformers", "CLIPImageProcessor"]
    (folder / "model_index.json").write_text(json.dumps(index))


def tokenizer_in(folder: Path) -> tuple[Any, dict[str, int]]:
    """A tokenizer of single letters."""
    from transformers import CLIPTokenizer

    letters = [chr(code) for code in (*range(33, 127), *range(161, 173), *range(174, 256))]
    letters += [chr(256 + number) for number in range(68)]
    names = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    words = {name: number for number, name in enumerate(names)}
    folder.mkdir(parents=True)
    (folder / "vocab.json").write_text(json.dumps(words))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=77), words


def _text_encoder(words: dict[str, int]) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel

    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(words),
            hidden_size=32,
            intermediate_size=37,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=77,
            bos_token_id=words["<|startoftext|>"],
            eos_token_id=words["<|endoftext|>"],
            pad_token_id=words["<|endoftext|>"],
        )
    )


def _control(folder: Path, shape: dict[str, Any]) -> None:
    from diffusers import ControlNetModel

    network = ControlNetModel(conditioning_embedding_out_channels=(4, 4, 8, 8), **shape)
    for parameter in network.parameters():  # the real ones' last layers begin at zero: then maps would change nothing
        if parameter.abs().sum() == 0:
            parameter.data.normal_(0, 0.1)
    network.save_pretrained(folder)


def _depth(folder: Path) -> None:
    from transformers import DPTConfig, DPTForDepthEstimation, DPTImageProcessor

    config = DPTConfig(
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=64,
        image_size=SIDE,
        patch_size=16,
        backbone_out_indices=[0, 1, 2, 3],
        neck_hidden_sizes=[16, 16, 32, 32],
        fusion_hidden_size=16,
        reassemble_factors=[4, 2, 1, 0.5],
    )
    DPTForDepthEstimation(config).save_pretrained(folder)
    DPTImageProcessor(size={"height": SIDE, "width": SIDE}).save_pretrained(folder)


def _masks(folder: Path) -> None:
    from transformers import Sam2Config, Sam2Model, Sam2Processor
    from transformers.models.sam2 import Sam2ImageProcessor

    size = 128
    backbone = {
        "model_type": "sam2_hiera_det_model",
        "hidden_size": 8,
        "num_attention_heads": 1,
        "image_size": [size, size],
        "blocks_per_stage": [1, 1, 2, 1],
        "embed_dim_per_stage": [8, 16, 32, 64],
        "num_attention_heads_per_stage": [1, 1, 1, 1],
        "window_size_per_stage": [8, 4, 8, 4],
        "global_attention_blocks": [3],
        "window_positional_embedding_background_size": [2, 2],
    }
    config = Sam2Config(
        vision_config={
            "backbone_config": backbone,
            "backbone_channel_list": [64, 32, 16, 8],
            "backbone_feature_sizes": [[size // 4] * 2, [size // 8] * 2, [size // 16] * 2],
            "fpn_hidden_size": 32,
        },
        prompt_encoder_config={"hidden_size": 32, "image_size": size, "mask_input_channels": 4},
        mask_decoder_config={"hidden_size": 32, "mlp_dim": 16, "num_attention_heads": 2, "iou_head_hidden_dim": 16},
    )
    Sam2Model(config).save_pretrained(folder)
    Sam2Processor(Sam2ImageProcessor(size={"height": size, "width": size})).save_pretrained(folder)
