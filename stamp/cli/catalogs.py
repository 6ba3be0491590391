"""The schemas that a command reads payloads with: those of a contracts folder, then what services have announced."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from stamp.cli.render.console import tell
from stamp.errors import StampError
from stamp.schema.catalog import Catalog
from stamp.workflow.announced import announced_catalog

if TYPE_CHECKING:  # databases take long to import, and a file needs none
    from stamp.runtime.directories import Directories

__all__ = ["catalog_of", "with_announced"]


def catalog_of(folder: Path | None) -> Catalog:
    """Return the schemas of a contracts folder; none where there is no folder.

    Raises:
        ContractError, SchemaError: the folder is not in order.
    """
    return Catalog() if folder is None else Catalog.from_folder(folder)


def with_announced(catalog: Catalog, place: Directories, workflows: Iterable[str]) -> Catalog:
    """Return a catalog with the schemas that it lacks and that are announced of these workflows; a place that cannot be read is told."""
    try:
        for workflow in workflows:
            documents = {key: each.text for key, each in place.read(workflow).items()}
            found = announced_catalog(documents, workflow)
            catalog = catalog.merged(Catalog(each for each in found if each.id not in catalog))
    except StampError as error:
        tell(f"what is announced in {place.address} is not known: {error}")
    return catalog
