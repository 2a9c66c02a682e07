"""The catalogue as a file: import, export, and the mappings of foreign formats."""
