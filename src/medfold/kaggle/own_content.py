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
        ref: owner/name on Kaggle.
    """

    kind: Literal["notebook", "data set"]
    ref: str

    @property
    def page(self) -> str:
        """URL of the notebook or data set."""
        return f"{SITE}/{'code' if self.kind == 'notebook' else 'datasets'}/{self.ref}"


def list_content(session: KaggleSession, prefix: str) -> Iterator[OwnContent]:
    """Yields the user's notebooks and data sets whose names begin with a prefix.

    Args:
        session: connection to Kaggle, with credentials.
        prefix: beginning of the names that are listed.
    """
    api = session.api
    notebooks = _refs(session, "your notebooks", api.kernels_list_with_response, lambda page: page.kernels)
    datasets = _refs(session, "your data sets", api.dataset_list_with_response, lambda page: page.datasets)
    for kind, refs in (("notebook", notebooks), ("data set", datasets)):
        for ref in sorted(refs):
            owner, _, name = ref.rpartition("/")
            if owner.lower() == session.user.lower() and name.startswith(prefix):
                yield OwnContent(kind, ref)


def remove_content(session: KaggleSession, content: OwnContent) -> None:
    """Deletes a notebook or a data set on Kaggle permanently.

    Raises:
        UserError: Kaggle's reason to refuse.
    """
    ref = content.ref
    owner, name = ref.split("/")
    if content.kind == "notebook":
        answer = session.call(ref, "kernels", "delete_kernel", user_name=owner, kernel_slug=name)
        problem = answer.error_message
    else:
        answer = session.call(ref, "datasets", "delete_dataset", owner_slug=owner, dataset_slug=name)
        problem = answer.error
    if problem:
        raise UserError(
            f"Kaggle does not delete the {content.kind}: {problem}", ref, f"Delete the {content.kind} at {content.page}"
        )


def _refs(session: KaggleSession, where: str, ask: Callable[..., Any], rows: Callable[[Any], Any]) -> Iterator[str]:
    pages = session.pages(where, ask, first_token=None, mine=True, page_size=100)
    return (row.ref for page in pages for row in rows(page) or [])
