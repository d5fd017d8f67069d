"""Plans of runs, as `make train` makes them."""

from medfold.competition import Competition
from medfold.data import make_dataset
from medfold.training import RunPlan, TrainingRequest, open_plan


def planned(competition: Competition, request: TrainingRequest) -> RunPlan:
    """Returns the plan of a run, whose folder exists afterwards; nothing is trained."""
    recipe = request.load_recipe(competition)
    dataset = make_dataset(competition, recipe.preparation)
    with open_plan(competition, request, recipe, dataset) as plan:
        return plan
