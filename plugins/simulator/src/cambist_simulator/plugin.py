"""What the simulator offers to Cambist."""
