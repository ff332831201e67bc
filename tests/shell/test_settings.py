"""What settings are refused, and that all of it is said at once."""

import pytest
from pydantic import ValidationError

from settings import Settings


def test_open_addresses_are_refused() -> None:
    with pytest.raises(ValidationError) as caught:
        Settings(salesforce={"login_url": "http://login.example"}, account_engagement={"base_url": "pi.pardot.com"})
    words = str(caught.value)
    assert "salesforce.login_url has to begin with https://" in words
    assert "account_engagement.base_url has to begin with https://" in words


def test_an_overlap_that_does_not_exceed_the_lag_is_refused() -> None:
    with pytest.raises(ValidationError, match="must exceed"):
        Settings(tuning={"read_lag": 60, "prospect_overlap": 60})
