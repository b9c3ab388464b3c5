"""Whether a certificate was good at an instant, in words. Pure."""

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from contract.certificates import common_name, instant_ms, load, public_of
from contract.errors import BadKey


def authority_fault(pem: bytes, at_ms: int) -> str | None:
    """Of the county's own certificate."""
    try:
        certificate = load(pem)
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        certificate.verify_directly_issued_by(certificate)
    except BadKey as error:
        return str(error)
    except (x509.ExtensionNotFound, InvalidSignature, ValueError, TypeError):
        return "is no authority's certificate"
    if not constraints.ca:
        return "is no authority's certificate"
    return _time_fault(certificate, at_ms)


def fault(pem: bytes, authority_pem: bytes, name: str, public: str, at_ms: int) -> str | None:
    """Of one that the authority is said to have issued to `name` for the key `public` (hex)."""
    try:
        certificate, authority = load(pem), load(authority_pem)
        key = public_of(pem)
        certificate.verify_directly_issued_by(authority)
    except BadKey as error:
        return str(error)
    except (InvalidSignature, ValueError, TypeError):
        return "was not issued by this authority"
    if common_name(certificate) != name:
        return f"is {common_name(certificate)}'s, not {name}'s"
    if key != public:
        return "is for another key"
    return _time_fault(certificate, at_ms)


def _time_fault(certificate: x509.Certificate, at_ms: int) -> str | None:
    if at_ms < instant_ms(certificate.not_valid_before_utc):
        return "was not valid yet at that time"
    if at_ms > instant_ms(certificate.not_valid_after_utc):
        return "was not valid any more at that time"
    return None
