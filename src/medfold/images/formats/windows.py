"""CT windows: by name, or by centre and width in Hounsfield units."""

from medfold.competition import ImageFacts
from medfold.errors import SettingError
from medfold.text import did_you_mean

# Centre and width in Hounsfield units.
WINDOWS = {
    "brain": (40, 80),
    "subdural": (80, 200),
    "stroke": (40, 40),
    "bone": (600, 2800),
    "lung": (-600, 1500),
    "mediastinal": (40, 400),
    "soft_tissue": (50, 400),
}


def window_of(window: str | tuple[float, float]) -> tuple[float, float]:
    """Returns centre and width of a CT window in Hounsfield units.

    Args:
        window: a name in `WINDOWS`, or (centre, width).

    Raises:
        SettingError: the name is unknown (the nearest one is suggested), or the width is not above 0.
    """
    if isinstance(window, str):
        if window not in WINDOWS:
            fix = f"Known: {', '.join(WINDOWS)}; or give [centre, width]"
            raise SettingError(f"unknown window '{window}'{did_you_mean(window, WINDOWS)}", "images.windows", fix)
        return WINDOWS[window]
    centre, width = window
    if not width > 0:
        what = f"the window [{centre:g}, {width:g}] has no width above 0"
        raise SettingError(what, "images.windows", "Give [centre, width], for example [40, 400]")
    return centre, width


def window_spans(image_facts: ImageFacts) -> list[tuple[float, float]]:
    """Returns the values that become 0 and 255, one pair per window of `images.windows`; [] without windows."""
    return [(centre - width / 2, centre + width / 2) for centre, width in map(window_of, image_facts.windows)]
