"""Steps of fitted transforms, beside those of medfold."""

from medfold.scoring import transform_step


@transform_step
def plus(predictions, number):
    return predictions + number


@transform_step
def times(predictions, number):
    return predictions * number


@transform_step
def summed(predictions):
    return predictions.sum(axis=0)
