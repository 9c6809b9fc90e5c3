"""Settings: devices, and restyling rooms on them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from thetool.settings.group import Group, named


class RestyleSettings(Group):
    """Which device computes, with which models, how quickly."""

    # --- devices
    device_locks_dir: Path | None = named(
        "DEVICE_LOCKS_DIR",
        default=None,
        description="Folder of the host in which workers lock a GPU (or `cpu:0`) for themselves; containers that share "
        "a GPU must share it. Else `/run/lock`, or the folder for temporary files.",
    )
    gpu_slots: int = named(
        "GPU_SLOTS",
        default=4,
        ge=1,
        le=64,
        description="Jobs that the worker with a device works on at a time: while one is computed, others are prepared "
        "and stored, and those of one size share a batch.",
    )
    gpu_idle_unload_seconds: float = named(
        "GPU_IDLE_UNLOAD_SECONDS",
        default=600,
        ge=0,
        description="Seconds without work after which the models leave the device's memory; 0 is never.",
    )
    gpu_cost_per_hour: float | None = named(
        "GPU_COST_PER_HOUR",
        default=None,
        ge=0,
        description="What an hour of the device costs, in any currency: results then say what they cost.",
    )

    # --- restyling rooms
    restyle_styles: Path | None = named(
        "RESTYLE_STYLES",
        default=None,
        description="A TOML file with further styles, or others in place of ours (docs/restyle.md).",
    )
    restyle_base_model: str = named(
        "RESTYLE_BASE_MODEL",
        default="stable-diffusion-v1-5/stable-diffusion-v1-5",
        description="What paints: a Stable Diffusion 1.5 on the hub (`owner/name`, `owner/name@revision`) or a folder.",
    )
    restyle_depth_control_model: str = named(
        "RESTYLE_DEPTH_CONTROL_MODEL",
        default="lllyasviel/control_v11f1p_sd15_depth",
        description="The ControlNet for depth: on the hub, or a folder.",
    )
    restyle_edge_control_model: str = named(
        "RESTYLE_EDGE_CONTROL_MODEL",
        default="lllyasviel/control_v11p_sd15_canny",
        description="The ControlNet for edges: on the hub, or a folder.",
    )
    restyle_edges: Literal["canny", "mlsd", "hed"] = named(
        "RESTYLE_EDGES",
        default="canny",
        description="Which outlines guide the painting: Canny's edges, straight lines (M-LSD) or soft edges (HED). The "
        "others need RESTYLE_EDGE_MODEL, and a RESTYLE_EDGE_CONTROL_MODEL that was trained with them.",
    )
    restyle_edge_model: str | None = named(
        "RESTYLE_EDGE_MODEL",
        default=None,
        description="What finds straight lines or soft edges: `lllyasviel/Annotators`, or a folder with its files.",
    )
    restyle_depth_model: str = named(
        "RESTYLE_DEPTH_MODEL",
        default="depth-anything/Depth-Anything-V2-Small-hf",
        description="What finds depth (Depth-Anything, DPT): on the hub, or a folder.",
    )
    restyle_mask_model: str | None = named(
        "RESTYLE_MASK_MODEL",
        default="facebook/sam2.1-hiera-tiny",
        description="What cuts objects out (SAM 2): on the hub, or a folder. Without it boxes stand in.",
    )
    restyle_few_steps_model: str | None = named(
        "RESTYLE_FEW_STEPS_MODEL",
        default=None,
        description="A LoRA for 4 to 8 steps instead of 14 to 30, such as `latent-consistency/lcm-lora-sdv1-5`.",
    )
    restyle_safety_checker: bool = named(
        "RESTYLE_SAFETY_CHECKER",
        default=True,
        description="Withhold results that the safety checker objects to, where its weights are in the base model.",
    )
    restyle_dtype: Literal["auto", "float32", "float16", "bfloat16"] = named(
        "RESTYLE_DTYPE",
        default="auto",
        description="Numbers on the device. `auto` is float16 on a GPU, bfloat16 on a CPU that computes with it "
        "(AVX-512 BF16, AMX), else float32.",
    )
    restyle_channels_last: bool = named(
        "RESTYLE_CHANNELS_LAST",
        default=True,
        description="Keep pictures in memory as GPUs' convolutions like them best.",
    )
    restyle_fuse_qkv: bool = named(
        "RESTYLE_FUSE_QKV", default=True, description="Compute the three projections of an attention in one go."
    )
    restyle_compile: bool = named(
        "RESTYLE_COMPILE",
        default=False,
        description="Compile UNet and ControlNets (`torch.compile`): quicker steps, minutes at the first picture of a "
        "size. What was compiled is kept in `THETOOL_HOME/compiled` for the next start.",
    )
    restyle_batch: int = named(
        "RESTYLE_BATCH",
        default=4,
        ge=1,
        le=16,
        description="Pictures painted at once: variations of a job, and waiting jobs of the same size.",
    )
    restyle_keep_days: float = named(
        "RESTYLE_KEEP_DAYS", default=30, gt=0, description="Days that photos, results and their links are kept."
    )
    hub_address: str = named(
        "HF_ENDPOINT", default="https://huggingface.co", description="The model hub, or a mirror of it."
    )
