import json
import re
from types import SimpleNamespace

import pytest

from ressat.base.errors import InputError
from ressat.encoders.registry import ENCODERS
from ressat.workflow.job_resources import grown, grown_with_tiles, network_minutes
from studies import rules


class Inputs(SimpleNamespace):
    """Named files, as Snakemake gives them to a rule's functions."""

    def __iter__(self):
        for named in vars(self).values():
            yield from [named] if isinstance(named, str) else named


@pytest.fixture
def inputs(tmp_path):
    for name, size in {"a": 2_000_000, "b": 500_000, "c": 1_000_000}.items():
        (tmp_path / name).write_bytes(bytes(size))
    (tmp_path / "tiles.json").write_text(json.dumps({"tiles": 2500}))
    return Inputs(
        features=[str(tmp_path / "a"), str(tmp_path / "b")],
        genes=str(tmp_path / "c"),
        counted=str(tmp_path / "tiles.json"),
    )


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (grown(1000), 1000),
        (grown(1000, of="features", per_mb=10), 1025),
        (grown(1000, of="features genes", per_mb=10), 1035),
        (grown(1000, of="genes", per_mb=10), 1010),
        (grown(1000, of="features genes", per_mb_of_largest=10), 1020),
        (grown(1000, of="features", per_mb=10, per_mb_of_largest=100), 1225),
        (grown(10, of="features", per_mb=0.1), 11),
        (grown_with_tiles(20, 4), 30),
        (grown_with_tiles(20, 4, of="genes none", per_mb=3), 33),
    ],
)
def test_a_request_grows_with_its_inputs_and_is_whole(inputs, request_, expected):
    found = request_(None, inputs, 1)
    assert found == expected
    assert isinstance(found, int)


def test_without_names_all_inputs_count(inputs, tmp_path):
    everything = 2_000_000 + 500_000 + 1_000_000 + (tmp_path / "tiles.json").stat().st_size
    assert grown(0, per_mb=1e6)(None, inputs, 1) == everything


def test_every_attempt_asks_for_twice_as_much(inputs):
    request = grown(100, of="genes", per_mb=10)
    assert [request(None, inputs, attempt) for attempt in (1, 2, 3)] == [110, 220, 440]


@pytest.mark.parametrize("request_", [grown(1, of="genes", per_mb=1), grown_with_tiles(1, 1)])
def test_what_is_not_made_yet_is_known_later(request_, tmp_path):
    missing = Inputs(genes=str(tmp_path / "no"), counted=str(tmp_path / "no"))
    with pytest.raises(FileNotFoundError):
        request_(None, missing, 1)


@pytest.mark.parametrize("content", ["", '{"tiles": 25', '{"tiles": "many"}', "[3]"])
def test_a_number_of_tiles_that_is_damaged_is_refused_by_name(tmp_path, content):
    (tmp_path / "S1.json").write_text(content)
    with pytest.raises(InputError, match=r"S1\.json: it cannot be read .*; remove it and run again"):
        grown_with_tiles(1, 1)(None, Inputs(counted=str(tmp_path / "S1.json")), 1)


def test_a_constant_request_needs_no_input():
    assert grown(1000)(None, Inputs(), 1) == 1000


def test_a_larger_network_may_take_longer():
    assert network_minutes(0, 0) == 5
    assert network_minutes(23_508_032, 0) < 6
    assert network_minutes(22_000_000, 197) < network_minutes(22_000_000, 785)
    assert network_minutes(1_134_774_272, 261) > 20 * network_minutes(23_508_032, 0)


@pytest.fixture(scope="module")
def measured(repository):
    """Tiles a second in fp32 and peak GB of each encoder that docs/performance.md has, on two cores."""
    text = (repository / "docs/performance.md").read_text(encoding="utf-8")
    rows = re.findall(r"(?m)^\| (`[a-z].*`) \| \d+ M \| [\d-]+ \| ([\d.]+) .*\| ([\d.]+) GB \| .*\|$", text)
    figures = {
        name: (float(speed), float(peak))
        for names, speed, peak in rows
        for name in re.findall(r"`(\w+)`", names)
    }
    assert {"resnet50", "kaiko_b8", "h_optimus_0"} <= set(figures) <= set(ENCODERS.names)
    return figures


@pytest.fixture(params=ENCODERS.names)
def encoder(request, measured):
    if request.param not in measured:
        pytest.skip("not measured")
    return ENCODERS.load(request.param)


def test_an_encoder_may_take_three_times_as_long_as_it_does_on_two_cores(measured, encoder):
    tiles_per_s, _ = measured[encoder.name]
    assert network_minutes(encoder.parameters, encoder.tokens) > 3 * 1000 / tiles_per_s / 60


@pytest.mark.parametrize("bytes_per_number", [2, 4])
def test_an_encoder_may_take_more_memory_than_it_does(
    repository, measured, encoder, tmp_path, bytes_per_number
):
    _, peak_gb = measured[encoder.name]
    weights = tmp_path / "weights"
    # Nothing is written: the file is all hole.
    with weights.open("wb") as file:
        file.truncate(encoder.parameters * bytes_per_number)
    (tmp_path / "tiles.json").write_text('{"tiles": 0}')
    factors = re.search(
        r'mem_mb=grown_with_tiles\((\d+), (\d+), of="weights", per_mb=(\d+)\)',
        rules(repository)["extract_features"],
    )
    base, per_thousand, per_mb = map(int, factors.groups())
    request = grown_with_tiles(base, per_thousand, of="weights", per_mb=per_mb)
    inputs = Inputs(weights=str(weights), counted=str(tmp_path / "tiles.json"))
    assert request(None, inputs, 1) > 1.25 * 1000 * peak_gb
