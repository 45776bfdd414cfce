"""Runs: the directories of trainings."""

from mmzoo.runs.finding import all_runs, new_run, newest_run, open_run, refuse_existing, runs_of
from mmzoo.runs.run import Run

__all__ = ["Run", "all_runs", "new_run", "newest_run", "open_run", "refuse_existing", "runs_of"]
