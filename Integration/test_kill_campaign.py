# SPDX-License-Identifier: Apache-2.0
"""kill -9 of any of the stack's programs at random moments of a mixed load: nothing acknowledged is lost, nothing leaks.

`SWRUN_TEST_ROUNDS` sets how many times (10), `SWRUN_TEST_SEED` the moments.
"""
import os
import random

import pytest

from campaign import Campaign, call, descriptors, resources
from harness import wait_until

ROUNDS = int(os.environ.get("SWRUN_TEST_ROUNDS", "10"))


def test_killed_under_load(own_stack):
    seed = os.environ.get("SWRUN_TEST_SEED", str(random.randrange(1 << 30)))
    warm_up = Campaign(own_stack, random.Random(0))
    warm_up.VICTIMS = ["daemon"]  # what appears with the first containers is not a leak
    assert not warm_up.round(0)
    before, opened = resources(own_stack), descriptors(own_stack)
    campaign, faults = Campaign(own_stack, random.Random(seed)), []
    for number in range(ROUNDS):
        faults += campaign.round(number)
    if faults:
        pytest.fail(f"seed {seed}:\n" + "\n".join(faults))
    assert call(own_stack, "GET", "/containers/json?all=1") == (200, [])

    def leaks():
        return {kind: sorted(found - before[kind]) for kind, found in resources(own_stack).items() if found - before[kind]}
    try:
        wait_until(lambda: not leaks(), 20, "the end of all that containers used")
    except AssertionError:
        assert not leaks(), seed
    now = descriptors(own_stack)
    more = {kind: count - opened.get(kind, 0) for kind, count in now.items() if count > opened.get(kind, 0) + 8}
    assert not more, (seed, opened, now)
    print("killed:", campaign.killed)
