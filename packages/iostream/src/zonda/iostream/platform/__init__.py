"""What depends on an optional library."""
