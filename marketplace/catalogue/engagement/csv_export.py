"""Tables as CSV downloads; what they are made by serves all rooms."""

from marketplace.core.csv_export import csv_cell, csv_response, csv_text

__all__ = ["csv_cell", "csv_response", "csv_text"]
