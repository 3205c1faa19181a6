"""What stands around the live engine: messages in, transitions out, and a state that survives. Read `running.Stream`.

Must not know syntax or faces. A source is a `sources.Source`, a state a `state.State`, an outlet an `outlets.Outlet`: there may be others.
What reads stores, serves HTTP or speaks to a broker is loaded when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pql.streams.errors import BadMessage, StreamError
from pql.streams.messages import Reader, nobody
from pql.streams.outlets import Collected, FileOutlet, Outlet, TextOutlet
from pql.streams.owners import Owners
from pql.streams.plans import belongs, bounded, difference, kept_of
from pql.streams.running import Figures, Options, Stream, change_line, transition_line
from pql.streams.shard import Shard
from pql.streams.sources import FileSource, InputSource, Message, NoSource, Source
from pql.streams.sqlite import NAME as STATE_FILE
from pql.streams.sqlite import SqliteState
from pql.streams.state import ATTRIBUTES, QUARANTINE, TRANSITIONS, State, Unkept

if TYPE_CHECKING:
    from pql.store.graph_reading import StoreFile
    from pql.streams.broker import NatsSource
    from pql.streams.endpoint import HttpSource
    from pql.streams.following import Graph
    from pql.streams.handover import HandedOver, hand_over
    from pql.streams.looking import held
    from pql.streams.verifying import Disagreement, Verification, verify

__all__ = [
    "ATTRIBUTES",
    "QUARANTINE",
    "STATE_FILE",
    "TRANSITIONS",
    "BadMessage",
    "Collected",
    "Disagreement",
    "Figures",
    "FileOutlet",
    "FileSource",
    "Graph",
    "HandedOver",
    "HttpSource",
    "InputSource",
    "Message",
    "NatsSource",
    "NoSource",
    "Options",
    "Outlet",
    "Owners",
    "Reader",
    "Shard",
    "Source",
    "SqliteState",
    "State",
    "StoreFile",
    "Stream",
    "StreamError",
    "TextOutlet",
    "Unkept",
    "Verification",
    "belongs",
    "bounded",
    "change_line",
    "difference",
    "hand_over",
    "held",
    "kept_of",
    "nobody",
    "transition_line",
    "verify",
]

_LATER = {
    "Disagreement": "verifying",
    "Graph": "following",
    "HandedOver": "handover",
    "HttpSource": "endpoint",
    "NatsSource": "broker",
    "Verification": "verifying",
    "hand_over": "handover",
    "held": "looking",
    "verify": "verifying",
}


def __getattr__(name: str) -> Any:
    if name == "StoreFile":
        return import_module("pql.store.graph_reading").StoreFile
    if name not in _LATER:
        raise AttributeError(f"module `pql.streams` has no `{name}`")
    return getattr(import_module(f"pql.streams.{_LATER[name]}"), name)
