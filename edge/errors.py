"""Everything that can stop an edge from doing its work.

    EdgeError                     edge
    ├── SettingsFault             edge.settings          the settings file cannot be used; lists every fault
    ├── JournalInUse              edge.journal_in_use    another process has this data folder
    ├── JournalDamaged            edge.journal_damaged   the file is no journal of ours any more: set aside
    ├── JournalFailed             edge.journal_failed    a commit failed; what was written is not known: stop
    ├── JournalBlocked            edge.journal_blocked
    │   ├── JournalFull           edge.journal_full      no room on the disk: nothing was written, try again
    │   └── JournalHeld           edge.journal_held      another process has the file's lock: the same
    ├── MediaFailed               edge.media_failed      the cameras' server has no port or no token
    ├── NotThere                  edge.not_there         no such bus or point, or it cannot be asked
    ├── NoTerminal                edge.no_terminal       a command that talks with a person, without one
    ├── NotEnrolled               edge.not_enrolled      no identity, and nobody said that none is meant
    ├── IdentityFault             edge.identity          an identity that cannot be used: enrol again
    ├── KeyExposed                edge.key_exposed       a secret that others on this machine can read
    ├── CentreMistrusted          edge.centre_mistrusted whoever answers is not the centre he should be
    ├── EnrolmentFailed           edge.enrolment_failed  the centre does not answer, or cannot now
    │   └── EnrolmentRefused      edge.enrolment_refused the centre says no
    └── SheetFault                edge.sheet             an acceptance sheet that is not what was signed

`fatal` means that the process has to end: after a failed fsync no promise can be kept.
"""


class EdgeError(Exception):
    """An operating error of the agent."""

    code = "edge"
    retryable = False
    fatal = True


class SettingsFault(EdgeError):
    code = "edge.settings"


class JournalInUse(EdgeError):
    code = "edge.journal_in_use"
    retryable = True


class JournalDamaged(EdgeError):
    code = "edge.journal_damaged"
    fatal = False


class JournalFailed(EdgeError):
    code = "edge.journal_failed"


class JournalBlocked(EdgeError):
    """Nothing was written and nothing is lost: the same may be tried again."""

    code = "edge.journal_blocked"
    retryable = True
    fatal = False


class JournalFull(JournalBlocked):
    code = "edge.journal_full"


class JournalHeld(JournalBlocked):
    code = "edge.journal_held"


class MediaFailed(EdgeError):
    code = "edge.media_failed"


class NotThere(EdgeError):
    code = "edge.not_there"
    fatal = False


class NoTerminal(EdgeError):
    code = "edge.no_terminal"
    fatal = False


class SheetFault(EdgeError):
    code = "edge.sheet"
    fatal = False


class NotEnrolled(EdgeError):
    code = "edge.not_enrolled"


class IdentityFault(EdgeError):
    code = "edge.identity"


class KeyExposed(EdgeError):
    code = "edge.key_exposed"


class CentreMistrusted(EdgeError):
    code = "edge.centre_mistrusted"


class EnrolmentFailed(EdgeError):
    code = "edge.enrolment_failed"
    retryable = True


class EnrolmentRefused(EnrolmentFailed):
    code = "edge.enrolment_refused"
    retryable = False
