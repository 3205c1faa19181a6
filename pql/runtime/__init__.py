"""Live engine: IR evaluated in Python, profile by profile. `evaluate` is its complete form: any expression over one person;
`engine` keeps the memberships of many up to date as events arrive and time passes.

Must not know SQL, stores or the batch engine, its sibling. Read `engine.Engine`, then `plan.make_plan` and `tracing.Tracing`.
"""

from pql.runtime.attributes import PlanError, runs
from pql.runtime.cost import Traffic
from pql.runtime.engine import Engine
from pql.runtime.evaluate import Evaluator, OutOfRange
from pql.runtime.inputs import (
    Advance,
    AttributeChange,
    Deletion,
    Event,
    Failure,
    Input,
    Merge,
    Record,
    Split,
    Transition,
)
from pql.runtime.plan import Plan, make_plan
from pql.runtime.state import StateError

__all__ = [
    "Advance",
    "AttributeChange",
    "Deletion",
    "Engine",
    "Evaluator",
    "Event",
    "Failure",
    "Input",
    "Merge",
    "OutOfRange",
    "Plan",
    "PlanError",
    "Record",
    "Split",
    "StateError",
    "Traffic",
    "Transition",
    "make_plan",
    "runs",
]
