"""Print the page of the documentation: `python -m pgaudit_kit.records.questions > docs/verdicts.md`."""

import sys

from pgaudit_kit.records.questions.registry import page

sys.stdout.write(page())
