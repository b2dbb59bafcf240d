"""What limits a current, and why."""
