"""The `work` process: takes, programmes and previews, made at low priority, each finished exactly once.

jobs      kind -> function: the slow work, outside any transaction, and what is written when it is done
bench     one lane's tools, and doing one job with them: lease, progress, failure
lanes     the process: two lanes, so that a preview never waits behind a render
"""

from broadcaster.worker.bench import Worker
from broadcaster.worker.jobs import JOBS, PREVIEW_LANE, RENDER_LANE
from broadcaster.worker.lanes import run_worker

__all__ = ["JOBS", "PREVIEW_LANE", "RENDER_LANE", "Worker", "run_worker"]
