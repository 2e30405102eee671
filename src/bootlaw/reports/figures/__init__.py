"""The figures of the report: pure functions from a frozen series to a panel."""
