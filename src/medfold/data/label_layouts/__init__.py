"""Label layouts, the values of labels.layout. A new one is a module with a function decorated by `@label_layout`.

- layouts: `wide`, `long`, `one_hot`, `lists`, `folders`, `arrays`; `layout`: their registry;
- shared by layouts with a table: `table_layouts`; by all: `test_set`, `image_columns`.
"""

from importlib import import_module

from medfold.data.label_layouts.layout import LAYOUTS, label_layout
from medfold.data.label_layouts.test_set import read_test_table

__all__ = ["LAYOUTS", "label_layout", "read_test_table"]

# Importing a module registers its layout; messages and docs/reference.md list the layouts in this order.
for _module in ("wide", "long", "one_hot", "lists", "folders", "arrays"):
    import_module(f"{__name__}.{_module}")
