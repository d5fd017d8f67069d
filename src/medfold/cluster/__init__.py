"""Work on a Ray cluster: folds are trained, or raw images scanned, by plain tasks that do what a local process does.

In the command's process:

- `cluster_training`, `cluster_scan`: the work, as commands need it;
- `connection`: address, token and settings of Ray;
- `driver_process`: the driver as a child process;
- `cluster_jobs`: what the driver is to do.

In other processes, which alone import Ray, an extra:

- `driver/`: the driver, which is connected to Ray;
- `node/`: what runs on a node.
"""

from medfold.cluster.cluster_scan import scan_on_cluster
from medfold.cluster.cluster_training import train_on_cluster
from medfold.cluster.connection import ClusterAddress
from medfold.cluster.driver_process import check_cluster

__all__ = ["ClusterAddress", "check_cluster", "scan_on_cluster", "train_on_cluster"]
