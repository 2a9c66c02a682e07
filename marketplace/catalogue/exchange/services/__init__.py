"""Import and export, a file per verb."""

from marketplace.catalogue.exchange.services.export_catalogue import ExportReport, export_catalogue
from marketplace.catalogue.exchange.services.import_catalogue import import_catalogue
from marketplace.catalogue.exchange.services.report import ImportReport

__all__ = ["ExportReport", "ImportReport", "export_catalogue", "import_catalogue"]
