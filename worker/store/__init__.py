"""The store, SQL and Parquet: units of work over jobs, runs, datasets and the audit trail."""

from worker.store.account_histories import AccountHistory as AccountHistory
from worker.store.checkpoints import Receipt as Receipt
from worker.store.checkpoints import SignedCheckpoint as SignedCheckpoint
from worker.store.datasets import Dataset as Dataset
from worker.store.jobs import Job as Job
from worker.store.jobs import JobFilter as JobFilter
from worker.store.models import Model as Model
from worker.store.outside import Outside as Outside
from worker.store.recipes import Recipe as Recipe
from worker.store.runs import Run as Run
from worker.store.trail import Filter as Filter
from worker.store.unit import ALIVE as ALIVE
from worker.store.unit import SIGN_EVERY as SIGN_EVERY
from worker.store.unit import Process as Process
from worker.store.unit import Store as Store
from worker.store.unit import Unit as Unit
