"""QR codes of links, drawn here: no other site learns of them (segno, ISO/IEC 18004)."""

import io

import segno


def qr_svg(address: str) -> bytes:
    """An SVG in black on white, readable when printed small."""
    out = io.BytesIO()
    segno.make(address, error="m", micro=False).save(
        out, kind="svg", border=4, scale=8, dark="#000", light="#fff", xmldecl=True, nl=False
    )
    return out.getvalue()


def qr_png(address: str) -> bytes:
    """A PNG for documents that take no SVG, some 1,000 pixels wide."""
    code = segno.make(address, error="m", micro=False)
    scale = max(1, 1_000 // (code.symbol_size(border=4)[0]))
    out = io.BytesIO()
    code.save(out, kind="png", border=4, scale=scale, dark="#000", light="#fff")
    return out.getvalue()
