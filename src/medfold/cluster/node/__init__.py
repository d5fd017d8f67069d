"""What runs on a node of the cluster.

- `node_task`: what all tasks do;
- `node_training`, `node_scan`: the work of a task;
- `files_on_nodes`: how files get there;
- `messages`: what a node tells the driver.
"""
