"""The admin: sheets with their grid, access list and log, and the tables beneath them.

Nothing here writes a cell but through services.commit, and no list of cells, revisions or dead
letters counts, sorts or loads a whole table: they stay usable at a million rows.
"""

from cells.admin.audit import AuditEntryAdmin
from cells.admin.calculations import CalculationAdmin
from cells.admin.dead_letters import DeadLetterAdmin
from cells.admin.feeds import FeedAdmin
from cells.admin.live import ProcessBeatAdmin
from cells.admin.protections import ProtectionAdmin
from cells.admin.publications import PublicationAdmin
from cells.admin.sheets import SheetAdmin
from cells.admin.sign_ins import SignInTriesAdmin
from cells.admin.streams import ListenerBeatAdmin, ProposalAdmin
from cells.admin.tables import CellAdmin, RevisionAdmin
from cells.admin.tokens import ApiTokenAdmin
from cells.admin.versions import NamedVersionAdmin

__all__ = [
    "ApiTokenAdmin",
    "AuditEntryAdmin",
    "CalculationAdmin",
    "CellAdmin",
    "DeadLetterAdmin",
    "FeedAdmin",
    "ListenerBeatAdmin",
    "NamedVersionAdmin",
    "ProcessBeatAdmin",
    "ProposalAdmin",
    "ProtectionAdmin",
    "PublicationAdmin",
    "RevisionAdmin",
    "SheetAdmin",
    "SignInTriesAdmin",
]
