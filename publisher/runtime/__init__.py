"""What runs: the delivery loop, the scheduler, and the parent of all processes."""
