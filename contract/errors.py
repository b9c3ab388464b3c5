"""Everything that can be wrong with what a peer said.

    ContractError                 contract
    ├── Malformed                 contract.malformed         not the JSON that was agreed on
    ├── TooLarge                  contract.too_large         over a bound of contract/limits.py
    ├── NotCanonical              contract.not_canonical     right content, wrong bytes: hashes would differ
    ├── UnknownTopic              contract.unknown_topic     no topic of ours
    │   └── UnknownVersion        contract.unknown_version   another version of the wire than ours
    ├── UnknownEdge               contract.unknown_edge      the centre has no station for this edge
    ├── WrongSender               contract.wrong_sender      the message names another edge than its topic
    ├── ChainBroken               contract.chain_broken      rows do not hash to the head they claim
    │   └── BadRow                contract.bad_row           where a stored chain is first not sound
    ├── Forked                    contract.forked            one (edge, epoch, seq), two different rows
    ├── UnknownEpoch              contract.unknown_epoch     a journal that was never admitted
    ├── Replayed                  contract.replayed          it was said before, or before something newer
    ├── BadKey                    contract.bad_key           no Ed25519 key
    └── Untrusted                 contract.untrusted
        ├── Unsigned              contract.unsigned          no signature where one is asked for
        ├── BadSignature          contract.bad_signature     not signed by the key it should be signed by
        ├── NotEnrolled           contract.not_enrolled      the centre knows no key of this edge
        ├── Revoked               contract.revoked           signed by a key that was taken back
        └── Superseded            contract.superseded        signed by a key that has a successor

A class is one thing that a caller can act on; `retryable` says whether the same bytes may be
accepted later. `code` is stable and is what counters and logs carry.
"""


class ContractError(Exception):
    """A message or row that cannot be taken as it is."""

    code = "contract"
    retryable = False


class Malformed(ContractError):
    code = "contract.malformed"


class TooLarge(ContractError):
    code = "contract.too_large"


class NotCanonical(ContractError):
    code = "contract.not_canonical"


class UnknownTopic(ContractError):
    code = "contract.unknown_topic"


class UnknownEdge(ContractError):
    code = "contract.unknown_edge"
    retryable = True


class WrongSender(ContractError):
    code = "contract.wrong_sender"


class ChainBroken(ContractError):
    code = "contract.chain_broken"


class BadRow(ChainBroken):
    """`seq`: the first place that is not as it was written; `fault`: in words, what is wrong there."""

    code = "contract.bad_row"

    def __init__(self, seq: int, fault: str) -> None:
        super().__init__(f"row {seq} {fault}")
        self.seq = seq
        self.fault = fault


class Forked(ContractError):
    code = "contract.forked"


class UnknownEpoch(ContractError):
    code = "contract.unknown_epoch"
    retryable = True


class UnknownVersion(UnknownTopic):
    code = "contract.unknown_version"


class Replayed(ContractError):
    code = "contract.replayed"


class BadKey(ContractError):
    code = "contract.bad_key"


class Untrusted(ContractError):
    """Whoever said it cannot show that it may."""

    code = "contract.untrusted"


class Unsigned(Untrusted):
    code = "contract.unsigned"


class BadSignature(Untrusted):
    code = "contract.bad_signature"


class NotEnrolled(Untrusted):
    code = "contract.not_enrolled"
    retryable = True


class Revoked(Untrusted):
    code = "contract.revoked"


class Superseded(Untrusted):
    code = "contract.superseded"
