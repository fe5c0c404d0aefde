"""Import mmengine's optimizers without transformers, which they look for and need for nothing.

mmengine imports all of transformers, over a second, only to offer its Adafactor optimizer. Imported
before anything else of mmengine, this module lets that one import fail as if the library were not
installed; whoever needs transformers later finds it.
"""

import sys

_NAME = "transformers"
_absent = _NAME not in sys.modules
if _absent:
    sys.modules[_NAME] = None  # type: ignore[assignment]
try:
    import mmengine.optim  # noqa: F401
finally:
    if _absent:
        del sys.modules[_NAME]
