"""How many trainings fit on a cluster, and with how many threads."""

import pytest

from medfold.cluster.driver.capacity import Capacity, NodeResources, plan_capacity
from tests.support.helpers import refused


@pytest.mark.parametrize(
    ("nodes", "max_parallel", "num_trainings", "expected"),
    [
        ([(2, 0)], 1, 5, Capacity(1, 2, False)),  # as on one machine
        ([(2, 0)], None, 5, Capacity(2, 1, False)),
        ([(8, 0), (4, 0)], 3, 5, Capacity(3, 4, False)),
        ([(8, 0), (4, 0)], 4, 5, Capacity(4, 2, False)),  # with three threads only three fit
        ([(8, 0), (4, 0)], None, 5, Capacity(5, 2, False)),
        ([(8, 0), (4, 0)], 99, 200, Capacity(12, 1, False)),
        ([(2, 0), (0, 0)], None, 1, Capacity(1, 2, False)),  # the head has no cores
        ([(16, 2), (8, 1)], None, 5, Capacity(3, 8, True)),
        ([(16, 2), (8, 0)], 5, 5, Capacity(2, 8, True)),  # each has its own GPU
        ([(1, 4)], None, 5, Capacity(1, 1, True)),  # one core feeds one GPU
    ],
)
def test_threads_are_the_most_that_fit_for_all_that_run_at_once(nodes, max_parallel, num_trainings, expected):
    assert plan_capacity([NodeResources(*node) for node in nodes], max_parallel, num_trainings) == expected


@pytest.mark.parametrize("nodes", [[], [(0, 0)], [(0, 1)]])
def test_cluster_without_a_core_is_refused(nodes):
    with refused("no node of the cluster has a core"):
        plan_capacity([NodeResources(*node) for node in nodes], None, 5)
