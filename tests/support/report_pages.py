"""Contents of a written report."""

import re
from html import unescape


def read_page(path) -> str:
    """Reads the page without the bytes of its images."""
    return re.sub(r"data:image/jpeg;base64,[\w+/=]+", "data:image/jpeg", path.read_text(encoding="utf-8"))


def cells(text: str, caption: str) -> list[list[str]]:
    """Returns the cells of a table, without its head."""
    body = text.split(f"<caption>{caption}</caption>")[1].split("</table>")[0]
    rows = re.findall(r"<tr.*?</tr>", body, re.DOTALL)
    return [[unescape(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in rows][1:]


def sections(text: str) -> list[str]:
    return re.findall(r'<section id="(\w+)"', text)


def cards(text: str) -> dict[str, tuple[str, str]]:
    found = re.findall(r'<div class="card[^>]*><span[^>]*>(.*?)</span><b>(.*?)</b><span[^>]*>(.*?)</span>', text)
    return {title: (value, words) for title, value, words in found}
