#!/usr/bin/env python3
"""A file of many rows through a small model, beside bare ONNX Runtime on the same file.

    scripts/bench/serving_batch.py [--rows 1000000] [--rounds 3] [--formats csv parquet npy jsonl] [--service]

Bare is what a person would write who knows the file: Polars (or pandas) reads it as a whole, ONNX Runtime runs all
rows in one go, and the same file is written with the predictions beside. Ours is the way of a job, `predict_file`: it
finds out what the file is, and reads, checks, asks and writes it chunk by chunk. Each is a process of its own, whose
import of its libraries is not counted; the peak is that of the whole process. `--service` sends the file to a running
service, too, where it is stored in Postgres, read from there, and the result stored again.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from models import graphs
from service import ROOT, Service, service

sys.path.insert(0, str(ROOT))
NAMES = [f"feature_{number}" for number in range(graphs.COLUMNS)]


def main() -> None:
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--formats", nargs="+", default=["csv", "parquet", "npy", "jsonl"])
    parser.add_argument("--service", action="store_true")
    parser.add_argument("--one", nargs=3, metavar=("WHO", "FORMAT", "FOLDER"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        who, kind, folder = asked.one
        print(json.dumps(one(who, kind, Path(folder))))
        return
    with tempfile.TemporaryDirectory(prefix="thetool-bench-") as folder:
        graphs.write(Path(folder))
        write_files(Path(folder), asked.rows, asked.formats)
        print("| format | who | seconds | × bare | in the model | peak MB |\n| --- | --- | --- | --- | --- | --- |")
        for kind in asked.formats:
            compare(kind, folder, asked.rounds)
        if asked.service:
            through_service(Path(folder), asked.formats)


def write_files(folder: Path, rows: int, kinds: list[str]) -> None:
    """The same rows in each format."""
    import numpy as np
    import polars as pl

    values = np.random.default_rng(5).random((rows, graphs.COLUMNS), dtype=np.float32).round(4)
    table = pl.DataFrame(dict(zip(NAMES, values.T, strict=True)))
    if "csv" in kinds:
        table.write_csv(folder / "rows.csv", float_precision=4)
    if "parquet" in kinds:
        table.write_parquet(folder / "rows.parquet")
    if "npy" in kinds:
        np.save(folder / "rows.npy", values)
    if "jsonl" in kinds:
        table.write_ndjson(folder / "rows.jsonl")


def compare(kind: str, folder: str, rounds: int) -> None:
    """All who do it, in turn; the medians of the rounds."""
    found: dict[str, list[dict[str, Any]]] = {}
    for _ in range(rounds):
        for who in ("bare", *(["bare, pandas"] if kind == "csv" else []), "TheTool"):
            command = [sys.executable, __file__, "--one", who, kind, folder]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            found.setdefault(who, []).append(json.loads(done.stdout))
    seconds = {who: statistics.median(one["seconds"] for one in runs) for who, runs in found.items()}
    for who, runs in found.items():
        model = statistics.median(one["model"] for one in runs)
        peak = max(one["peak"] for one in runs)
        ratio = seconds[who] / seconds["bare"]
        print(f"| {kind} | {who} | {seconds[who]:.2f} | {ratio:.2f} | {model:.2f} s | {peak / 1e6:.0f} |", flush=True)


def one(who: str, kind: str, folder: Path) -> dict[str, float]:
    """One way with one file, in this process."""
    file, model, target = folder / f"rows.{kind}", folder / "tabular.onnx", folder / f"result.{kind}"
    prepare = ours if who == "TheTool" else bare
    run = prepare(model, pandas="pandas" in who)
    began = time.perf_counter()
    model_seconds = run(file, kind, target)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"seconds": seconds, "model": model_seconds, "peak": peak}


def ours(model: Path, **_: Any) -> Any:
    """The way of a job."""
    from thetool.batch.model import Asking
    from thetool.batch.opening import open_source
    from thetool.batch.run import predict_file
    from thetool.batch.schemas import BatchOptions
    from thetool.serving.runtime.sessions import open_session

    session = open_session(model, run_bytes=2**30, threads=1, row_by_row=True)
    asking = Asking(session, seconds=30, on_stuck=lambda: None)

    def run(file: Path, kind: Any, target: Path) -> float:
        source = open_source(file, file.name, session.inputs, BatchOptions(columns=None), unpacked_bytes=2**30)
        told, _ = predict_file(source, asking, session.output_names, target, kind)
        assert told.failed == 0, told
        return asking.milliseconds / 1000

    return run


def bare(model: Path, *, pandas: bool) -> Any:
    """What a person would write for this very file."""
    import numpy as np
    import onnxruntime
    import polars as pl

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])

    def ask(x: Any) -> tuple[Any, float]:
        began = time.perf_counter()
        (y,) = session.run(None, {"x": x})
        return y, time.perf_counter() - began

    def run(file: Path, kind: str, target: Path) -> float:
        if kind == "npy":
            y, seconds = ask(np.load(file))
            np.save(target, y)
            return seconds
        if kind == "jsonl":
            return lines(file, target, ask)
        if pandas:
            import pandas as pd

            frame = pd.read_csv(file)
            y, seconds = ask(frame[NAMES].to_numpy(np.float32))
            frame[[f"y[{at}]" for at in range(y.shape[1])]] = y
            frame.to_csv(target, index=False)
            return seconds
        table = pl.read_csv(file) if kind == "csv" else pl.read_parquet(file)
        y, seconds = ask(table.select(NAMES).cast(pl.Float32).to_numpy(order="c"))
        table = table.with_columns(pl.Series(f"y[{at}]", y[:, at]) for at in range(y.shape[1]))
        if kind == "csv":
            table.write_csv(target)
        else:
            table.write_parquet(target, compression="zstd", compression_level=1)
        return seconds

    if pandas:
        import pandas as pd  # noqa: F401  not to be counted
    return run


def lines(file: Path, target: Path, ask: Any) -> float:
    """JSON Lines as a person reads and writes them who wants it quick."""
    import numpy as np
    import orjson

    objects = [orjson.loads(line) for line in file.read_bytes().splitlines()]
    y, seconds = ask(np.array([[one[name] for name in NAMES] for one in objects], np.float32))
    with target.open("wb") as out:
        for one, predicted in zip(objects, y.tolist(), strict=True):
            out.write(orjson.dumps({**one, "y": predicted}, option=orjson.OPT_APPEND_NEWLINE))
    return float(seconds)


def through_service(folder: Path, kinds: list[str]) -> None:
    """The same files as jobs of a running service."""
    from serving import add, ask

    print("\n| format | sent and stored s | job s | of it in the model s | MB in | MB out |")
    print("| --- | --- | --- | --- | --- | --- |")
    with service(RATE_LIMIT_ENABLED="false", WEB_CONCURRENCY="1") as running:
        metadata = json.dumps({"model_metadata": {"feature_names": NAMES}}).encode()
        model_id = add(running, "small", (folder / "tabular.onnx").read_bytes())
        ask(running, "PATCH", f"/api/v1/models/{model_id}", metadata)
        for kind in kinds:
            began = time.perf_counter()
            job = send(running, model_id, folder / f"rows.{kind}")
            sent = time.perf_counter() - began
            while job["finished_at"] is None:
                job = ask(running, "GET", f"/api/v1/jobs/{job['id']}?wait=60")
            assert job["status"] == "completed", job["error"]
            result = job["result"]
            size = (folder / f"rows.{kind}").stat().st_size / 1e6
            cells = f"{sent:.2f} | {result['elapsed_seconds']:.2f} | {result['model_seconds']:.2f}"
            print(f"| {kind} | {cells} | {size:.0f} | {result['size'] / 1e6:.0f} |", flush=True)


def send(running: Service, model_id: str, file: Path) -> Any:
    """Send a file; the job that was made."""
    address = f"http://127.0.0.1:{running.port}/api/v1/models/{model_id}/batches?filename={file.name}"
    headers = running.headers | {"Content-Type": "application/octet-stream", "Content-Length": str(file.stat().st_size)}
    with file.open("rb") as body, urlopen(Request(address, body, headers, method="POST"), timeout=600) as answer:
        return json.load(answer)


if __name__ == "__main__":
    main()
