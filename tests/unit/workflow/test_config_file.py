"""A config file is read before Snakemake reads it, and what must not be read is refused."""

import os
import time

import pytest

from ressat.base.errors import InputError
from ressat.workflow.config_file import check_yaml

TENFOLD = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
)
LONG = f"a: &a {'x' * 90_000}\nb: [{', '.join(['*a'] * 2000)}]"
MERGED = "\n".join(
    ["a0: &a0 {x: 1, y: 2}"]
    + [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 30)]
)


@pytest.fixture
def refusal(tmp_path):
    def refusal(text: str) -> str:
        file = tmp_path / "config.yaml"
        file.write_text(text, encoding="utf-8")
        with pytest.raises(InputError) as caught:
            check_yaml(file)
        assert str(caught.value).startswith(f"{file}: ")
        return str(caught.value)

    return refusal


@pytest.mark.parametrize(
    "text",
    [
        "__use_yte__: true\nseed: 1\n",
        "seed: 1\n'__use_yte__': yes\n?print(1): {}\n",
        '"\\x5f_use_yte__": 1\n',
        "x: &x {__use_yte__: true}\n<<: *x\n",
        "__use_yte__: false\n",
        '{"__use_yte__": true, }',
    ],
)
def test_settings_that_run_code_are_refused(refusal, text):
    assert "__use_yte__, by which a config file runs code; expected settings alone" in refusal(text)


def test_the_same_name_deeper_down_runs_nothing_and_is_the_schemas_business(tmp_path):
    (tmp_path / "config.yaml").write_text("model: {__use_yte__: true}\n")
    check_yaml(tmp_path / "config.yaml")


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("seed: !!python/object/apply:os.system [echo]", "!!python/object/apply:os.system"),
        ("seed: 1\nmodel:\n  use: !!python/name:os.system", "!!python/name:os.system"),
        ("seed: !include other.yaml", "!include"),
        ("- !<tag:yaml.org,2002:python/tuple> [1]", "!!python/tuple"),
    ],
)
def test_tags_are_refused_by_their_name(refusal, text, tag):
    message = refusal(text)
    assert f"the tag {tag} (line {text.count(chr(10)) + 1})" in message
    assert message.endswith("remove it.")


@pytest.mark.parametrize("text", [TENFOLD, LONG, MERGED])
def test_aliases_that_multiply_are_refused_at_once(refusal, text):
    start = time.monotonic()
    assert "more than 1,000,000 characters once its aliases are written out" in refusal(text)
    assert time.monotonic() - start < 20


def test_a_few_aliases_are_settings_like_others(tmp_path):
    text = "simulate: {sections: {A: &one {seed: 1}, B: *one, C: {<<: *one, rows: 7}}}\n"
    (tmp_path / "config.yaml").write_text(text)
    check_yaml(tmp_path / "config.yaml")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("seed: 1\n\nseed: 2", "(line 3, column 1): seed is given twice"),
        ('{"seed": 1, "seed": 2}', "(line 1, column 13): seed is given twice"),
    ],
)
def test_a_repeated_name_is_refused(refusal, text, place):
    assert place in refusal(text)


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "config.yaml")
    with pytest.raises(InputError, match=r"a named pipe .*, not a file"):
        check_yaml(tmp_path / "config.yaml")
    with pytest.raises(InputError, match="/dev/zero: a character device, not a file"):
        check_yaml("/dev/zero")


def test_a_file_of_another_size_than_settings_have_is_not_read(tmp_path):
    with open(tmp_path / "config.yaml", "wb") as file:
        file.truncate(20_000_000_000)
    with pytest.raises(InputError, match=r"a file of 20000 MB; .* of at most 10 MB; correct its path"):
        check_yaml(tmp_path / "config.yaml")


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(InputError, match=r"gone\.yaml: no such file"):
        check_yaml(tmp_path / "gone.yaml")
