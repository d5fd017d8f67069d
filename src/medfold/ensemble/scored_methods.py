"""Methods of an ensemble that were tried, with their scores, and the one that is used."""

from dataclasses import dataclass

import numpy as np

from medfold.ensemble.members import MemberPredictions
from medfold.ensemble.methods import EnsembleMethod
from medfold.scoring import Difference, FittedTransform


@dataclass(frozen=True)
class ScoredFit:
    """A method or a post-processing fitted on labels, with its scores.

    Args:
        fitted: the transform fitted on all folds: predictions of the members -> combined predictions.
        predictions: float64 (units, columns), cross-fitted.
        in_sample: the score on the labels that it was fitted on; too high.
        cross_fitted: the score on labels that it was not fitted on: the one to trust.
        gain: over what it would replace, cross-fitted; None if it replaces nothing.
    """

    fitted: FittedTransform
    predictions: np.ndarray
    in_sample: float
    cross_fitted: float
    gain: Difference | None


@dataclass(frozen=True)
class MethodCandidate(ScoredFit):
    """A method that was tried, with its scores. Its gain is over the arithmetic mean; the mean itself has none.

    Args:
        method: the method that was tried.
    """

    method: EnsembleMethod


@dataclass(frozen=True)
class PostProcessed(ScoredFit):
    """A method followed by post-processing, with its scores. Its gain is over the same method alone.

    Args:
        title: display name of the post-processing.
        calibrates: True if the result is still probabilities.
        step: the post-processing alone, fitted on all folds.
    """

    title: str
    calibrates: bool
    step: FittedTransform

    @property
    def helps(self) -> bool:
        """True if post-processing improves the cross-fitted score."""
        return self.gain.value > 0


@dataclass(frozen=True)
class MethodChoice:
    """The methods and the post-processing that were tried, and the chosen ones.

    Args:
        candidates: all methods that were tried, the arithmetic mean first.
        chosen: the candidate that is used.
        post_processed: the result of post-processing; None if the metric has none, or only one fold is trained.
    """

    candidates: list[MethodCandidate]
    chosen: MethodCandidate
    post_processed: PostProcessed | None

    @property
    def used_post_processing(self) -> PostProcessed | None:
        """The result of post-processing if it helps, else None."""
        return self.post_processed if self.post_processed and self.post_processed.helps else None

    @property
    def used(self) -> ScoredFit:
        """The combination of members that is submitted: with post-processing if it helps."""
        return self.used_post_processing or self.chosen

    @property
    def used_for_probabilities(self) -> ScoredFit:
        """The combination of members that gives probabilities.

        It is `used` unless the method gives ranks, or post-processing turns probabilities into decisions.
        """
        if self.chosen.method.gives_ranks:
            return self.candidates[0]
        if self.used_post_processing and self.used_post_processing.calibrates:
            return self.used
        return self.chosen

    def fallback(self, members: MemberPredictions, prior: np.ndarray) -> np.ndarray:
        """Returns the prediction for a unit without an image: the prior, or the median rank for a rank mean.

        The post-processing that turns predictions into decisions is applied to it as well. Combination and calibration
        are not: no member has predicted the prior.

        Args:
            members: the OOF predictions of the members.
            prior: float64 (columns,), the mean of the units' labels.
        """
        prediction = prior[None]
        if self.chosen.method.gives_ranks:
            prediction = self.chosen.fitted.apply(np.median(members.predictions, axis=1, keepdims=True))
        if self.used_post_processing and not self.used_post_processing.calibrates:
            prediction = self.used_post_processing.step.apply(prediction)
        return prediction[0]
