"""Nothing reports to anybody: what comes in stays in this house."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_onnx_runtime_reports_nothing(tmp_path: Path) -> None:
    """Its telemetry opens a session with a file in the folder for temporary files, as soon as it is loaded."""
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    subprocess.run([sys.executable, "-c", "import thetool, onnxruntime"], env=environment, check=True, timeout=60)
    assert list(tmp_path.iterdir()) == []
