"""Message of a submission on Kaggle, and the content id in it, by which the submission is found again."""

from medfold.competition import Competition, CompetitionFacts
from medfold.earlier_versions import SCORE, with_former_names
from medfold.ensemble import Ensemble
from medfold.scoring import format_score, metric_title
from medfold.system.git import git_commit
from medfold.system.hashes import fingerprint

MAX_RUNS_LENGTH = 200  # letters of the run names in a message


def make_content_id(facts: CompetitionFacts, text_hash: str, ensemble: Ensemble) -> str:
    """Returns the content id of a submission, made from its file.

    For a notebook it is made from the trained folds: the public test set may have three rows, for which different
    nets can predict the same.

    Args:
        facts: facts of the competition (`upload`).
        text_hash: hash of the file's text.
        ensemble: the combined runs.
    """
    if facts.upload != "notebook":
        return f"file {text_hash[:12]}"
    score = with_former_names({key: value for key, value in ensemble.score.content().items() if key != "facts"}, SCORE)
    return f"folds {fingerprint([text_hash, ensemble.input_hashes, score], 12)}"


def describe_submission(competition: Competition, ensemble: Ensemble, content_id: str) -> str:
    """Returns the text that is shown with the submission on Kaggle: runs, OOF score, folds, commit, content id.

    Args:
        competition: the competition of the submission.
        ensemble: the combined runs.
        content_id: the content id, which ends the text.
    """
    score = ensemble.score
    title = metric_title(competition.facts, score.metric)
    value = format_score(score.value)
    covers = f"{len(score.trained_folds)} of {competition.facts.folds.k} folds"
    commit = git_commit(competition.project_paths.root)
    code = f", commit {commit}" if commit else ""
    label = "+".join(ensemble.run_names)
    label = label if len(label) <= MAX_RUNS_LENGTH else f"{label[: MAX_RUNS_LENGTH - 3]}..."
    return f"medfold {label}, OOF {title} {value}, {covers}{code}, {content_id}"
