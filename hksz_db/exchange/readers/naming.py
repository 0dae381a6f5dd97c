"""Names for what has none: the same content has the same name, and is found again."""

import hashlib
import json
from typing import Any

Item = dict[str, Any]


def named_by_content(item: Item, namespace: str) -> Item:
    """The item with an external id that follows from what it says, unless it has one."""
    if item.get("external_id") is not None:
        return item
    rest = {name: value for name, value in item.items() if name != "external_id"}
    content = json.dumps(rest, sort_keys=True, ensure_ascii=True, default=str)
    digest = hashlib.sha256(content.encode()).hexdigest()[:24]
    return {**item, "external_id": f"{namespace}:row-{digest}"}
