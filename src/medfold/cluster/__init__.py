"""Work on a Ray cluster: folds are trained, or raw images scanned, by plain tasks that do what a local process does.

In the command's process:

- `cluster_training`, `cluster_scan`: the work, as commands need it;
- `connection`: address, token and settings of Ray;
- `driver_process`: the driver as a child process;
- `cluster_jobs`: what the driver is to do.

In the driver, which is connected to Ray:

- `driver`: does one job;
- `training_tasks`, `scan_tasks`: the tasks of a job;
- `cluster_task`: one task, on one node after the other, until its result is in place;
- `attempt`: one task on one node;
- `capacity`: how many tasks fit on the nodes.

On a node:

- `node`: what all tasks do;
- `node_training`, `node_scan`: their work;
- `files_on_nodes`: how files get there;
- `messages`: what a node tells the driver.

Only the driver and the nodes import Ray, which is an extra.
"""

from medfold.cluster.cluster_scan import scan_on_cluster
from medfold.cluster.cluster_training import train_on_cluster
from medfold.cluster.connection import ClusterAddress
from medfold.cluster.driver_process import check_cluster

__all__ = ["ClusterAddress", "check_cluster", "scan_on_cluster", "train_on_cluster"]
