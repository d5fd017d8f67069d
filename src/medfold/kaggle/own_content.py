"""Notebooks and data sets that medfold created on Kaggle, listed and removed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from medfold.errors import UserError
from medfold.kaggle.client import SITE
from medfold.kaggle.session import KaggleSession


@dataclass(frozen=True)
class OwnContent:
    """A notebook or data set of the user.

    Args:
        kind: kind of content: notebook or data set.
        full_name: owner/name on Kaggle.
    """

    kind: Literal["notebook", "data set"]
    full_name: str

    @property
    def page(self) -> str:
        """URL of the notebook or data set."""
        return f"{SITE}/{'code' if self.kind == 'notebook' else 'datasets'}/{self.full_name}"


def list_content(session: KaggleSession, prefix: str) -> Iterator[OwnContent]:
    """Yields the user's notebooks and data sets whose names begin with a prefix.

    Args:
        session: connection to Kaggle, with credentials.
        prefix: beginning of the names that are listed.
    """
    api = session.api
    notebooks = _full_names(session, "your notebooks", api.kernels_list_with_response, lambda page: page.kernels)
    datasets = _full_names(session, "your data sets", api.dataset_list_with_response, lambda page: page.datasets)
    for kind, full_names in (("notebook", notebooks), ("data set", datasets)):
        for full_name in sorted(full_names):
            owner, _, name = full_name.rpartition("/")
            if owner.lower() == session.user.lower() and name.startswith(prefix):
                yield OwnContent(kind, full_name)


def remove_content(session: KaggleSession, content: OwnContent) -> None:
    """Deletes a notebook or a data set on Kaggle permanently.

    Raises:
        UserError: Kaggle's reason to refuse.
    """
    full_name = content.full_name
    owner, name = full_name.split("/")
    if content.kind == "notebook":
        answer = session.call(full_name, "kernels", "delete_kernel", user_name=owner, kernel_slug=name)
        problem = answer.error_message
    else:
        answer = session.call(full_name, "datasets", "delete_dataset", owner_slug=owner, dataset_slug=name)
        problem = answer.error
    if problem:
        fix = f"Delete the {content.kind} at {content.page}"
        raise UserError(f"Kaggle does not delete the {content.kind}: {problem}", full_name, fix)


def _full_names(
    session: KaggleSession, where: str, ask: Callable[..., Any], rows: Callable[[Any], Any]
) -> Iterator[str]:
    pages = session.pages(where, ask, first_token=None, mine=True, page_size=100)
    return (row.ref for page in pages for row in rows(page) or [])
