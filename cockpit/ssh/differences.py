"""Why the cockpit differs from OpenSSH, where it does; docs/ssh.md says the same at more length."""

from __future__ import annotations

from collections.abc import Mapping

DIFFERENT: Mapping[str, str] = {
    "stricthostkeychecking": "`no` would take any key: the cockpit asks for an unknown one and refuses a changed one",
    "forwardagent": "the cockpit forwards an agent only to a target whose rule in cockpit.toml asks for it",
    "user": "tokens and variables in User count, as of OpenSSH 10",
    "identityfile": "the cockpit tries the keys that OpenSSH 10 tries",
    "serveraliveinterval": "with BatchMode, Debian's OpenSSH asks every 300 s",
}
"""For options that the cockpit uses."""

_POOLED = "the cockpit shares its own connections, whatever this says"
_TUNNELS = "the cockpit forwards nothing; a source goes through a host by `via`"
_X11 = "the cockpit has no use for X11"
_GSSAPI = "logins by Kerberos are not supported"
_COMMAND = "it is the cockpit that says what runs on a host, so that all of it is on the record"
_SCREEN = "the cockpit has its own screen, and questions are asked there"

UNUSED: Mapping[str, str] = {
    **dict.fromkeys(("controlmaster", "controlpath", "controlpersist"), _POOLED),
    **dict.fromkeys(
        (
            "clearallforwardings",
            "dynamicforward",
            "exitonforwardfailure",
            "gatewayports",
            "localforward",
            "permitremoteopen",
            "remoteforward",
            "streamlocalbindmask",
            "streamlocalbindunlink",
            "tunnel",
            "tunneldevice",
        ),
        _TUNNELS,
    ),
    **dict.fromkeys(("forwardx11", "forwardx11timeout", "forwardx11trusted", "xauthlocation"), _X11),
    **dict.fromkeys(
        (
            "gssapiauthentication",
            "gssapiclientidentity",
            "gssapidelegatecredentials",
            "gssapikexalgorithms",
            "gssapikeyexchange",
            "gssapirenewalforcesrekey",
            "gssapiserveridentity",
            "gssapitrustdns",
        ),
        _GSSAPI,
    ),
    **dict.fromkeys(
        ("enablesshkeysign", "hostbasedacceptedalgorithms"), "host-based logins are not supported"
    ),
    "hostbasedauthentication": "host-based logins are not supported",
    **dict.fromkeys(
        (
            "forkafterauthentication",
            "localcommand",
            "permitlocalcommand",
            "remotecommand",
            "requesttty",
            "sessiontype",
            "stdinnull",
        ),
        _COMMAND,
    ),
    **dict.fromkeys(("escapechar", "enableescapecommandline", "visualhostkey"), _SCREEN),
    "batchmode": "the cockpit asks on its screen all the same; give it up there",
    "bindinterface": "set BindAddress instead",
    "canonicaldomains": "it has done its part: see hostname",
    "canonicalizefallbacklocal": "it has done its part: see hostname",
    "canonicalizehostname": "it has done its part: see hostname",
    "canonicalizemaxdots": "it has done its part: see hostname",
    "canonicalizepermittedcnames": "it has done its part: see hostname",
    "channeltimeout": "the cockpit closes its channels itself",
    "checkhostip": "a host's key is looked up by its name alone",
    "fingerprinthash": "fingerprints are shown as SHA256",
    "ignoreunknown": "it has done its part",
    "ipqos": "packets are not marked",
    "kbdinteractivedevices": "the server chooses",
    "knownhostscommand": "keys are known by files alone",
    "loglevel": "the cockpit's own log says how much it says",
    "logverbose": "the cockpit's own log says how much it says",
    "nohostauthenticationforlocalhost": "a host's key is checked on this machine too",
    "obscurekeystroketiming": "keys are sent when they are pressed",
    "pkcs11provider": "put the token's keys into an agent: ssh-add -s",
    "proxyusefdpass": "a ProxyCommand is spoken to through its input and output",
    "rekeylimit": "keys are exchanged anew each gigabyte or hour",
    "requiredrsasize": "RSA keys of hosts and users are taken from 1024 bits up",
    "securitykeyprovider": "security keys are used through an agent, or libfido2",
    "syslogfacility": "the cockpit's own log says how much it says",
    "tag": "it has done its part: see what `Match tagged` set",
    "updatehostkeys": "known_hosts changes only when somebody accepts a key",
    "verifyhostkeydns": "keys are not looked up in the DNS",
    "versionaddendum": "the cockpit says its own version",
    "warnweakcrypto": "the cockpit does not warn of weak key exchanges",
}
"""For options that the cockpit has no use for, or has used up."""
