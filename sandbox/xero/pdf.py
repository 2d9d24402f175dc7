"""An invoice as a one-page PDF, plain but readable by any viewer."""

from sandbox.documents import Invoice


def invoice_pdf(firm: str, invoice: Invoice) -> bytes:
    lines = [
        firm,
        f"Invoice {invoice.number}",
        f"To {invoice.contact.name}",
        f"Dated {invoice.date.isoformat()}, due {invoice.due.isoformat()}",
        f"Total {invoice.currency} {invoice.total}, still to pay {invoice.balance}",
    ]
    shown = b" ".join(b"(%s) Tj T*" % _escaped(line) for line in lines)
    stream = b"BT /F1 14 Tf 22 TL 60 760 Td " + shown + b" ET"
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    body, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(parts) + 1
    return (
        body
        + b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (
            size,
            table,
            size,
            len(body),
        )
    )


def _escaped(text: str) -> bytes:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)").encode("cp1252", "replace")
