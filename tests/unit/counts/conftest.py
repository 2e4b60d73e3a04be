import gzip

import pytest

from ressat.base.errors import InputError, about


@pytest.fixture
def write(tmp_path):
    """Write a table, packed if its name ends with .gz; gives its path."""

    def write(content: str | bytes, name: str) -> str:
        content = content.encode() if isinstance(content, str) else content
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return str(tmp_path / name)

    return write


@pytest.fixture
def refusal(write):
    """Read a table that must be refused; gives the message."""

    def refusal(read: object, content: str | bytes, name: str) -> str:
        with pytest.raises(InputError) as caught, about(section="S1"):
            read(write(content, name))
        assert str(caught.value).startswith("section S1: ")
        assert name in str(caught.value)
        assert caught.value.expected
        assert caught.value.action
        return str(caught.value)

    return refusal
