"""The faults of the broken peer, by the group of cases that has to find them."""

from faults import closing, compression, control, fragments, framing, limits, opening, text
from faults.registry import FAULTS, matches

__all__ = ["FAULTS", "closing", "compression", "control", "fragments", "framing", "limits", "matches", "opening",
           "text"]
