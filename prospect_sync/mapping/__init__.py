"""The mapping file: TOML in, a validated ``Mapping`` out, or every problem at once with its line.

What the settings *do* is decided in ``policy``; here is only what may be written in the file. Nothing reads the environment.
"""

from prospect_sync.mapping.prospect_fields import misgivings
from prospect_sync.mapping.reader import DEFAULT_MAPPING, load_mapping, parse_mapping

__all__ = ["DEFAULT_MAPPING", "load_mapping", "misgivings", "parse_mapping"]
