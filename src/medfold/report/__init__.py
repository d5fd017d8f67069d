"""The report: one HTML page about a run, or about several runs combined.

- `build`: the page from its sections;
- `page`: the HTML of the page;
- `sections/`: a module per section;
- `curves`, `galleries`, `heat_maps`, `subgroup_scores`: compute what is shown;
- `drawing`, `plots`, `line_styles`: draw it;
- `names`: names that users chose, as safe text.
"""

from medfold.report.build import build_page
from medfold.report.page import render

__all__ = ["build_page", "render"]
