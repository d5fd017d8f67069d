"""The driver: the process that is connected to Ray. It alone writes into the project.

- `driver`: does one job;
- `training_tasks`, `scan_tasks`: the tasks of a job;
- `cluster_task`: one task, on one node after the other, until its result is in place;
- `attempt`: one task on one node;
- `capacity`: how many tasks fit on the nodes.
"""
