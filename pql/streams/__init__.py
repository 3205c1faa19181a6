"""What stands around the live engine: messages in, transitions out, and a state that survives. Read `running.Stream`.

Must not know syntax, SQL or faces. A source is a `sources.Source`, a state a `state.State`, an outlet an `outlets.Outlet`: there may be others.
"""

from pql.streams.errors import BadMessage, StreamError
from pql.streams.handover import HandedOver, hand_over
from pql.streams.messages import Reader
from pql.streams.outlets import Collected, FileOutlet, Outlet, TextOutlet
from pql.streams.plans import belongs, difference, kept_of
from pql.streams.running import Figures, Options, Stream, transition_line
from pql.streams.shard import Shard
from pql.streams.sources import FileSource, InputSource, Message, NoSource, Source
from pql.streams.sqlite import SqliteState
from pql.streams.state import QUARANTINE, TRANSITIONS, State, Unkept

__all__ = [
    "QUARANTINE",
    "TRANSITIONS",
    "BadMessage",
    "Collected",
    "Figures",
    "FileOutlet",
    "FileSource",
    "HandedOver",
    "InputSource",
    "Message",
    "NoSource",
    "Options",
    "Outlet",
    "Reader",
    "Shard",
    "Source",
    "SqliteState",
    "State",
    "Stream",
    "StreamError",
    "TextOutlet",
    "Unkept",
    "belongs",
    "difference",
    "hand_over",
    "kept_of",
    "transition_line",
]
