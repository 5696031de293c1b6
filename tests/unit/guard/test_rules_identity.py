"""Directories, keys and certificates."""

from __future__ import annotations

import pytest

from cockpit.guard.classify import classify_line
from tests.helpers.risks import labelled

READS = [
    'ldapsearch -x -H ldap://dc1 -b dc=corp "(uid=x)" memberOf',
    "ldapsearch -LLL -Q -o ldif-wrap=no uid=$u",
    "ldapwhoami -x",
    "realm list",
    "sssctl domain-status corp",
    "gpg --list-keys",
    "gpg -K --with-colons",
    "gpg --verify x.sig x",
    "gpg --no-default-keyring --keyring ./k.gpg --list-keys",
    "gpg -d secrets.gpg",
    "gpg --decrypt -o - x.gpg",
    "gpgv x.sig x",
    "keytool -list -v -keystore k.jks -storepass changeit",
    "keytool -printcert -sslserver example.com:443",
    "smbclient -L //fs1 -N",
    "smbclient -L fs1 -U guest",
]
CHANGES = [
    "ldapmodify -f x.ldif",
    "ldapsearch -xt uid=x",
    "ldappasswd x",
    "sssctl cache-remove",
    "gpg --import k",
    "gpg -e -r bob x",
    "gpg -d -o out x.gpg",
    "gpg --verify --outp out x.sig",
    "gpg -k --log-file x",
    "gpg --verify --auto-key-retrieve x.sig",
    "gpgv -o out x.sig",
    "keytool -genkeypair -alias x",
    "keytool -importcert -file c.pem",
    "smbclient -L fs1 -l /tmp/x",
]
DESTROYS = [
    "ldapdelete cn=x",
    "gpg --delete-keys bob",
    "keytool -delete -alias x -keystore k.jks",
]
UNKNOWN = [
    "gpg --options x -k",
    "gpg --photo-viewer x -k",
    "keytool -list -providerclass X -providerpath .",
    'smbclient //fs1/share -c "del x"',
    "smbclient //fs1/share",
]


@pytest.mark.parametrize(
    ("line", "risk"), labelled(read=READS, change=CHANGES, destructive=DESTROYS, unknown=UNKNOWN)
)
def test_a_line_of_identity_has_its_risk(line: str, risk: str) -> None:
    assert classify_line(line).risk == risk, classify_line(line).findings
