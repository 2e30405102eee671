"""Laws on published tables of training runs: one module per table."""
