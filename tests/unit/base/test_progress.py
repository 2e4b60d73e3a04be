"""A long job says how far it is: a bar on a terminal, a few plain lines in a log."""

import logging
import sys
from itertools import pairwise

import pytest

from ressat.base.progress import LINES, progress


@pytest.fixture
def lines(caplog):
    """The lines that went to the log."""
    caplog.set_level(logging.INFO, logger="ressat")
    return lambda: [record.getMessage() for record in caplog.records if record.name == "ressat"]


@pytest.mark.parametrize(("tiles", "batch_size"), [(1000, 32), (1000, 1), (187, 32), (7, 2), (1, 32)])
def test_everything_passes_and_a_few_lines_say_how_far_it_is(lines, tiles, batch_size):
    batches = [list(range(tiles))[start : start + batch_size] for start in range(0, tiles, batch_size)]
    assert list(progress(iter(batches), tiles, len, "C2", "tile")) == batches
    assert 1 <= len(lines()) <= LINES
    assert lines()[-1] == f"C2: {tiles} of {tiles} tiles"
    done = [int(line.split()[1]) for line in lines()]
    assert done == sorted(set(done))
    longest_silence = max(b - a for a, b in pairwise([0, *done]))
    assert longest_silence <= max(tiles / LINES, batch_size) + batch_size


def test_nothing_to_do_is_nothing_to_say(lines):
    assert list(progress(iter([]), 0, len, "C2", "tile")) == []
    assert lines() == []


def test_a_batch_counts_once_it_has_been_dealt_with(lines):
    for number, _ in enumerate(progress(iter("abcde"), 5, len, "C2", "tile")):
        assert len(lines()) == number


@pytest.mark.parametrize("terminal", [True, False])
def test_the_bar_is_drawn_on_a_terminal_only(monkeypatch, capsys, terminal):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    list(progress(iter("abcde"), 5, len, "C2", "tile"))
    screen = capsys.readouterr().err
    assert ("C2: 100%" in screen and "5/5" in screen) if terminal else screen == ""
