"""How `thetool weights pull` is ended."""

from __future__ import annotations

import os
import signal

import pytest

from thetool.cli.weights import _ended_as_by_ctrl_c


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_so_that_it_tidies_up(sent: signal.Signals) -> None:
    before = signal.getsignal(sent)
    tidied = []

    def pull() -> None:
        with _ended_as_by_ctrl_c():
            try:
                os.kill(os.getpid(), sent)
                signal.pause()
            finally:
                tidied.append(sent)

    with pytest.raises(SystemExit) as ended:
        pull()
    assert (ended.value.code, tidied) == (128 + sent, [sent])
    assert signal.getsignal(sent) is before


def test_what_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with _ended_as_by_ctrl_c():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
