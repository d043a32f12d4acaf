from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import BadRequest
from domain.market.zones import changes_of, instants, to_local, to_utc

ZONES = ("America/New_York", "Europe/London", "Europe/Athens", "America/Chicago", "Asia/Tokyo", "Australia/Lord_Howe", "UTC")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@settings(max_examples=200)
@given(minutes=st.integers(-10 * 525_600, 100 * 525_600), zone=st.sampled_from(ZONES))
def test_wall_clocks_agree_with_the_standard_library(minutes, zone):
    moment = EPOCH + timedelta(minutes=minutes)
    wall = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=UTC)
    assert int(to_local(np.array([minutes * 60 * 10**9]), zone)[0]) == (wall - EPOCH) // timedelta(microseconds=1) * 1000


@settings(max_examples=200)
@given(minutes=st.integers(0, 80 * 525_600), zone=st.sampled_from(ZONES))
def test_every_instant_is_one_of_the_two_its_wall_time_may_be(minutes, zone):
    utc = np.array([minutes * 60 * 10**9])
    first, second = to_utc(to_local(utc, zone), zone)
    assert utc[0] in (first[0], second[0]) and first[0] <= second[0]


@pytest.mark.parametrize("zone", ZONES)
def test_a_time_that_does_not_exist_becomes_the_next_that_does(zone):
    changes = changes_of(zone)
    forward = np.flatnonzero(np.diff(changes.offsets) > 0)[-20:]
    skipped = changes.at[forward] + changes.offsets[forward] + 60 * 10**9
    assert instants(skipped, zone).tolist() == changes.at[forward].tolist()


def test_an_unknown_zone_says_what_is_wanted():
    with pytest.raises(BadRequest, match="no time zone named 'Mars/Olympus'; it must be an IANA name"):
        to_local(np.array([0]), "Mars/Olympus")
