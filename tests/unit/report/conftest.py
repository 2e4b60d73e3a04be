from types import SimpleNamespace

import pytest

from parsed_page import Parsed
from report_study import whole_study


@pytest.fixture
def study(tmp_path):
    """A study that a test may change."""
    return whole_study(tmp_path)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory, repository):
    """A study as it is, and its page with the maps of two genes."""
    study = whole_study(tmp_path_factory.mktemp("study"))
    page = study.page(repository)
    return SimpleNamespace(study=study, html=page, page=Parsed(page))
