"""Reads and judges server certificates, those that do not verify too.

The platform's `ssl` module says nothing about a certificate it did not trust, and that is the one a person on call
wants to read: so the certificate is taken from the handshake as DER and read with `cryptography`. Verification codes
are OpenSSL's (X509_V_ERR_*, in its x509_vfy.h).
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime

from msgspec import Struct

from cockpit.errors import BadAnswer, SourceError, Unreachable
from cockpit.hygiene import clean_text
from cockpit.signals import HealthState, Value
from sources.support.verdict import Verdict

DAY = 86_400.0
EXPIRED = 10
WRONG_NAME = (62, 64)

_WHY = {
    9: "is not valid yet: check the clocks here and there",
    10: "has expired: renew it",
    18: "is self-signed: have it signed by an authority, or name it in `ca_file`",
    19: "is signed by a private authority that is not trusted here: name that authority in `ca_file`",
    20: "is signed by an unknown issuer: name the issuer in `ca_file`, or make the server send its whole chain",
    21: "is signed by an unknown issuer: make the server send its whole chain, or name the issuer in `ca_file`",
    23: "has been revoked: replace it",
    24: "is signed by something that may not sign certificates: have it signed again",
    26: "is not meant for servers: have one issued for server authentication",
    62: "is for another name: ask for the name it was issued for, or have it issued again",
    64: "is for another address: ask for the name it was issued for, or have it issued again",
    66: "has a key that is too short: have it issued again with a longer one",
    67: "is signed by an authority whose key is too short",
    68: "is signed with an outdated hash: have it signed again",
}


class Untrusted(Unreachable):
    """A certificate that did not verify, so nothing was said over that connection.

    Attributes:
        code: OpenSSL's verification code.
    """

    def __init__(self, message: str, *, where: str = "", remedy: str = "", code: int = 0) -> None:
        super().__init__(message, where=where, remedy=remedy)
        self.code = code


class Certificate(Struct, frozen=True, kw_only=True):
    """What a check says about a server's certificate. Times are POSIX seconds."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: float
    not_after: float

    def days_left(self, now: float) -> float:
        """Return the days until it ends; negative once it has."""
        return (self.not_after - now) / DAY


def read_certificate(der: bytes) -> Certificate:
    """Read a certificate.

    Raises:
        BadAnswer: It is no X.509 certificate, or one so broken that it can't be read.
    """
    from cryptography import x509

    try:
        certificate = x509.load_der_x509_certificate(der)
        subject, issuer = certificate.subject.rfc4514_string(), certificate.issuer.rfc4514_string()
        begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except ValueError as error:
        raise BadAnswer(f"the certificate can't be read: {clean_text(str(error), 200)}") from None
    try:
        held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = [*held.get_values_for_type(x509.DNSName)]
        names += [str(address) for address in held.get_values_for_type(x509.IPAddress)]
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError):
        names = []
    return Certificate(
        subject=clean_text(subject, 200),
        issuer=clean_text(issuer, 200),
        names=tuple(clean_text(name, 200) for name in names[:32]),
        not_before=begins.timestamp(),
        not_after=ends.timestamp(),
    )


def client_context(*, verify: bool = True, ca_file: str = "") -> ssl.SSLContext:
    """Make the context of a check's connections. Takes tens of milliseconds: call it in a thread, once.

    Args:
        verify: False accepts any certificate, for a look that sends nothing secret.
        ca_file: Authorities to trust beside the platform's, as PEM.

    Raises:
        SourceError: `ca_file` can't be read or holds no certificate.
    """
    context = ssl.create_default_context()
    if ca_file:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise SourceError(
                f"`ca_file` {ca_file} can't be read: {error.strerror or error}", remedy="name a PEM file"
            ) from None
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def untrusted(error: ssl.SSLCertVerificationError, where: str) -> Untrusted:
    """Say why a certificate did not verify, in plain words with the remedy."""
    why = _WHY.get(error.verify_code, f"does not verify: {error.verify_message}")
    return Untrusted(f"the certificate {why}", where=where, code=error.verify_code)


def note_certificate(
    verdict: Verdict, certificate: Certificate, *, now: float, warn_days: float, critical_days: float
) -> None:
    """Add a certificate's readings to a verdict, and its remaining days where they are too few.

    Fewer than `warn_days` is degraded; fewer than `critical_days` is down, so that it is renewed while it works.
    """
    left = certificate.days_left(now)
    ends = datetime.fromtimestamp(certificate.not_after, UTC).strftime("%Y-%m-%d %H:%M UTC")
    readings: dict[str, Value] = {
        "certificate days left": round(left, 2),
        "certificate ends": ends,
        "certificate subject": certificate.subject,
        "certificate issuer": certificate.issuer,
        "certificate names": ", ".join(certificate.names) or None,
    }
    verdict.note(readings)
    if left < 0:
        verdict.fault(HealthState.DOWN, f"certificate ended {_days(-left)} ago ({ends}): renew it")
    elif left < critical_days:
        verdict.fault(HealthState.DOWN, f"certificate ends in {_days(left)} ({ends}): renew it now")
    elif left < warn_days:
        verdict.fault(HealthState.DEGRADED, f"certificate ends in {_days(left)} ({ends}): renew it")


def note_untrusted(
    verdict: Verdict,
    error: Untrusted,
    certificate: Certificate | None,
    *,
    now: float,
    warn_days: float,
    critical_days: float,
) -> None:
    """Add why a certificate did not verify, with whom it names and how long it lasts where it could be read."""
    reason = error.message
    if certificate is not None:
        note_certificate(verdict, certificate, now=now, warn_days=warn_days, critical_days=critical_days)
        if error.code == EXPIRED and certificate.days_left(now) < 0:
            return
        if error.code in WRONG_NAME:
            reason += f" (it is for {', '.join(certificate.names[:4]) or certificate.subject})"
    verdict.fault(HealthState.DOWN, reason)


def _days(days: float) -> str:
    if days < 1:
        return f"{days * 24:.0f} h"
    return "1 day" if days < 2 else f"{days:.0f} days" if days >= 10 else f"{days:.1f} days"
