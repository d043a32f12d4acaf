"""The files of a version, each checked against the hash that the registry names; a wrong one is refused, and the refusal is recorded."""

from __future__ import annotations

from worker.store.blobs import WrongHash
from worker.store.models import Model
from worker.store.unit import Store


def files_of(store: Store, model: Model, actor: str) -> dict[str, bytes]:
    """File name -> its bytes. Raises ``WrongHash`` where one is gone or was altered, after an event ``model_refused``."""
    try:
        return {name: store.blobs.get(content, f"The file {name} of model {model.title}") for name, content in model.files.items()}
    except WrongHash as wrong:
        with store.unit() as unit:
            unit.audit(actor, "model_refused", model.entity, model=model.title, why=str(wrong))
        raise
