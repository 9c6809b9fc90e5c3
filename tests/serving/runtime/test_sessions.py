"""How a model is loaded: the cores that a run uses, and the GPU where there is one."""

from __future__ import annotations

import onnxruntime
import pytest

from tests.serving import graphs
from thetool.serving.runtime.sessions import open_session, providers


@pytest.mark.parametrize("threads", [1, 3])
def test_a_run_uses_the_cores_that_were_said(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[onnxruntime.SessionOptions] = []
    real = onnxruntime.InferenceSession

    def watched(
        model: bytes, options: onnxruntime.SessionOptions, providers: list[str]
    ) -> onnxruntime.InferenceSession:
        opened.append(options)
        return real(model, options, providers=providers)

    monkeypatch.setattr(onnxruntime, "InferenceSession", watched)
    open_session(graphs.doubling(), run_bytes=2**28, threads=threads)
    assert [(one.intra_op_num_threads, one.inter_op_num_threads) for one in opened] == [(threads, 1)]


def test_the_gpu_comes_first_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert providers() == ["CPUExecutionProvider"]
    there = ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: there)
    assert providers() == ["CUDAExecutionProvider", "CPUExecutionProvider"]
