"""Raw data in layouts that medfold does not know, and wrong inputs."""
