"""Folds on a Ray cluster: each is a plain task that trains in a child process, as a local one does.

- here: `cluster_training`: trains runs on a cluster; `connection`: the address, the token and the settings of Ray;
- in the driver, a child process that is connected to Ray: `driver`: starts the tasks; `cluster_task`: one of them, on
  one node after the other, until its result is in place; `capacity`: threads, and how many folds fit;
- on a node: `node`: the task; `files_on_nodes`: how images and weights get there.

Only modules of the driver and the nodes import Ray, which is an extra.
"""

from medfold.cluster.cluster_training import train_on_cluster
from medfold.cluster.connection import ClusterAddress

__all__ = ["ClusterAddress", "train_on_cluster"]
