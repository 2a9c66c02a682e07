"""Invoices, statements and reports as PDF, all of one look (fpdf2 with a font of our own).

fpdf2's core fonts know no euro sign and no Polish, hence DejaVu. The same content gives the same
bytes: the document carries no time but the one that it is told.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import Align, TableBordersLayout, TableCellFillMode
from fpdf.fonts import FontFace

FONTS = Path(__file__).resolve().parent.parent.parent / "static" / "vendor" / "dejavu"
INK = (26, 32, 44)
MUTED = (92, 101, 117)
LINE = (214, 219, 227)
ACCENT = (12, 107, 88)


class PdfDocument:
    """An A4 page, and more when they are needed, with a foot that counts them.

    >>> document = PdfDocument("Invoice INV-2026-0001", made_at=clock.now(), site_name="Portico")
    >>> document.pairs([("Date", "29 Nov 2026")])
    >>> document.table(("Item", "Amount"), [("Tide Tables", "€12.00")], widths=(3, 1))
    >>> document.bytes()
    """

    def __init__(
        self, title: str, *, made_at: datetime, site_name: str, subtitle: str = ""
    ) -> None:
        self._pdf = _Paper(f"{site_name} · {title}")
        self._pdf.set_title(title)
        self._pdf.set_creator(site_name)
        self._pdf.set_creation_date(made_at)
        self._pdf.add_page()
        self._pdf.set_font("DejaVu", "", 9)
        self._ink(MUTED)
        self._pdf.cell(0, 5, site_name, new_x="LMARGIN", new_y="NEXT")
        self._pdf.set_font("DejaVu", "B", 18)
        self._ink(INK)
        self._pdf.multi_cell(0, 10, title, new_x="LMARGIN", new_y="NEXT")
        if subtitle:
            self.paragraph(subtitle, muted=True)
        self._pdf.ln(3)

    def heading(self, text: str) -> None:
        """A heading within the document."""
        self._pdf.ln(4)
        self._pdf.set_font("DejaVu", "B", 12)
        self._ink(INK)
        self._pdf.multi_cell(0, 7, text, new_x="LMARGIN", new_y="NEXT")

    def paragraph(self, text: str, *, muted: bool = False) -> None:
        """A paragraph; line breaks are kept."""
        self._pdf.set_font("DejaVu", "", 9)
        self._ink(MUTED if muted else INK)
        self._pdf.multi_cell(0, 5, text, new_x="LMARGIN", new_y="NEXT")
        self._ink(INK)

    def pairs(self, rows: Sequence[tuple[str, str]]) -> None:
        """Names and values under each other."""
        for name, value in rows:
            self._pdf.set_font("DejaVu", "", 9)
            self._ink(MUTED)
            self._pdf.cell(45, 5.5, name)
            self._ink(INK)
            self._pdf.multi_cell(0, 5.5, value or "–", new_x="LMARGIN", new_y="NEXT")

    def table(
        self,
        heads: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        widths: Sequence[int],
        numeric: Sequence[int] = (),
        totals: int = 0,
    ) -> None:
        """A table whose head is repeated on every page.

        `widths` are relative; columns named in `numeric` (from 0) are set to the right; the last
        `totals` rows are bold.
        """
        self._pdf.ln(2)
        self._pdf.set_font("DejaVu", "", 8.5)
        self._pdf.set_draw_color(*LINE)
        aligns = tuple(Align.R if n in numeric else Align.L for n in range(len(heads)))
        with self._pdf.table(
            col_widths=tuple(widths),
            text_align=aligns,
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            cell_fill_mode=TableCellFillMode.NONE,
            headings_style=FontFace(emphasis="BOLD", color=MUTED),
            line_height=5.5,
            padding=1,
        ) as drawn:
            drawn.row(heads)
            for place, row in enumerate(rows):
                bold = place >= len(rows) - totals
                drawn.row(row, style=FontFace(emphasis="BOLD") if bold else None)
        self._pdf.ln(2)

    def chart(
        self, title: str, labels: Sequence[str], values: Sequence[int], *, kind: str = "bars"
    ) -> None:
        """A small chart of whole numbers, as `bars` or as a `line`, with its greatest value."""
        height, left, width = 34.0, self._pdf.l_margin, self._pdf.epw
        top, bottom = max([0, *values]), min([0, *values])
        if self._pdf.get_y() + height + 22 > self._pdf.h - self._pdf.b_margin:
            self._pdf.add_page()
        self.heading(title)
        self._pdf.set_font("DejaVu", "", 7.5)
        self._ink(MUTED)
        self._pdf.cell(0, 4, f"{top:,} at most", new_x="LMARGIN", new_y="NEXT")
        y = self._pdf.get_y() + 1
        unit = height / ((top - bottom) or 1)
        zero = y + top * unit
        self._pdf.set_draw_color(*LINE)
        self._pdf.line(left, zero, left + width, zero)
        step = width / max(1, len(values))
        self._pdf.set_fill_color(*ACCENT)
        self._pdf.set_draw_color(*ACCENT)
        for place, value in enumerate(values):
            x = left + step * place
            if kind == "bars" and value:
                size = abs(value) * unit
                at = zero - size if value > 0 else zero
                self._pdf.rect(x + step * 0.15, at, step * 0.7, size, style="F")
            elif kind == "line" and place + 1 < len(values):
                here, there = zero - value * unit, zero - values[place + 1] * unit
                self._pdf.line(x + step / 2, here, x + step * 1.5, there)
        every = -(-len(labels) // 16) or 1
        for place, label in enumerate(labels):
            if place % every == 0:
                self._pdf.set_xy(left + step * place, y + height + 1)
                self._pdf.cell(
                    step * every, 4, label[:18], align=Align.C if every == 1 else Align.L
                )
        self._pdf.set_xy(left, y + height + 6)
        self._ink(INK)

    def bytes(self) -> bytes:
        """The finished file."""
        return bytes(self._pdf.output())

    def _ink(self, color: tuple[int, int, int]) -> None:
        self._pdf.set_text_color(*color)


class _Paper(FPDF):
    """FPDF with our fonts and a foot."""

    def __init__(self, foot: str) -> None:
        super().__init__(format="A4")
        self._foot = foot
        self.add_font("DejaVu", "", FONTS / "DejaVuSans.ttf")
        self.add_font("DejaVu", "B", FONTS / "DejaVuSans-Bold.ttf")
        self.set_margins(18, 18, 18)
        self.set_auto_page_break(True, margin=20)
        self.alias_nb_pages()

    def footer(self) -> None:
        """Called by fpdf2 at the end of each page."""
        self.set_y(-14)
        self.set_font("DejaVu", "", 7.5)
        self.set_text_color(*MUTED)
        self.cell(0, 5, self._foot)
        self.set_x(self.l_margin)
        self.cell(0, 5, f"{self.page_no()} / {{nb}}", align=Align.R)
