"""How `thetool weights pull` shows its progress, and how it is ended."""

from __future__ import annotations

import io
import os
import signal

import pytest
from rich.console import Console

from thetool.cli import weights
from thetool.cli.weights import _ended_as_by_ctrl_c, _shown
from thetool.weights.pull import Progress, Stage


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_so_that_it_tidies_up(sent: signal.Signals) -> None:
    inherited = signal.signal(sent, signal.SIG_DFL)  # under nohup one of them is ignored
    tidied = []

    def pull() -> None:
        with _ended_as_by_ctrl_c():
            try:
                os.kill(os.getpid(), sent)
                signal.pause()
            finally:
                tidied.append(sent)

    try:
        with pytest.raises(SystemExit) as ended:
            pull()
        assert (ended.value.code, tidied) == (128 + sent, [sent])
        assert signal.getsignal(sent) is signal.SIG_DFL
    finally:
        signal.signal(sent, inherited)


def test_what_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with _ended_as_by_ctrl_c():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_shows_a_bar_for_each_role(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Console(file=io.StringIO(), force_terminal=terminal, width=100)
    monkeypatch.setattr(weights, "console", lambda **_: screen)
    said: list[tuple[str, str, Stage, int]] = [
        ("objects", "", "waiting", 0),
        ("labels", "lite0.pth", "downloading", 9 * 2**20),
        ("labels", "lite0.pth", "downloading", 18 * 2**20),
    ]
    shown = []
    with _shown() as show:
        for role, file, stage, done in said:
            show(Progress(role, "any", file, stage, done, 18 * 2**20))
            if screen._live_stack:
                screen._live_stack[0].refresh()
            shown.append(screen.file.getvalue())
    if not terminal:
        assert shown[-1] == ""
        return
    assert "objects: waiting" in shown[0]
    assert "labels: lite0.pth downloading" in shown[1]
    assert "9.0/18.0 MiB" in shown[1]
    assert "18.0/18.0 MiB" not in shown[1]
    assert "18.0/18.0 MiB" in shown[2]
