"""What package managers are judged to do."""

from __future__ import annotations

import pytest

from cockpit.guard.classify import classify_line

READ = """
apt-get -s dist-upgrade
apt-get -y --no-install-recommends -s install nginx
apt-get -qq --just-print autoremove
apt list --installed -o Debug::pkgAcquire=1
apt-cache policy nginx openssl
dpkg -l 'linux-image*'
dpkg --compare-versions 1.2 lt 1.3
dpkg --no-act -P nginx
dnf -q list --installed
dnf --assumeno upgrade
dnf history
yum history info last
rpm -qa --qf '%{NAME} %{VERSION}\\n'
rpm -qi nginx
rpm -ql --state nginx
rpm -E %_libdir
rpm -Uvh --test app.rpm
apk add -s nginx
pacman -Qi nginx
pacman -Ss nginx
snap refresh --list
brew --prefix openssl
pip list --format json
pip3 config get global.index-url
npm --json ls --depth 0
npm config get registry
npm version
yarn why left-pad
gem list --local
go env GOPATH
go version -m /usr/local/bin/checkout
go tool pprof -top cpu.prof
cargo install --list
"""
CHANGE = """
apt-get -y install nginx
apt install --no-install-recommends nginx
apt-get -o Dpkg::Options::=--force-confold -y upgrade
apt-mark hold nginx
dpkg -Ei app.deb
dpkg --fsys-tarfile app.deb -x /
dnf install nginx
dnf versionlock add nginx
dnf config-manager --add-repo http://192.0.2.8/r.repo
rpm -e nginx
rpm -qa --import key.asc
pacman -Sys nginx
pacman -Suy
snap refresh --hold --list
brew tap example/tap
pip list --log /tmp/x
npm version patch
npm audit fix
npm cache clean --force
yarn
go env -w GOFLAGS=-mod=mod
go tool pprof -http :8080 cpu.prof
update-alternatives --set editor /usr/bin/vim
"""
DESTRUCTIVE = """
apt-get install -o DPkg::Pre-Invoke::x='rm -rf /srv' nginx
apt-get autoremove --purge
apt-cache -o APT::Update::Post-Invoke='rm -rf /srv' policy
dpkg -P nginx
dpkg -rP nginx
dpkg -l --status-logger='rm -rf /srv'
rpm -qa --pipe 'xargs rm -rf'
rpm --eval '%(rm -rf /srv)'
pacman -Rns nginx
snap remove nginx --purge
"""
UNKNOWN = """
apt list -o Dir::Bin::dpkg=/tmp/x
apt-get -c /tmp/apt.conf -s upgrade
apt-cache $ARGS
dpkg --no-act --pre-invoke=./x -i a.deb
rpm -qa --qf '%{SUMMARY:expand}'
rpm -q --specfile x.spec
rpm -E '%{lua:print(1)}'
pip --python /tmp/python list
npm ls --script-shell /tmp/x
npm --viewer /tmp/x help install
brew bundle exec x
npx cowsay
go run .
dnf --setopt=pluginpath=/tmp list
"""
CASES = [
    (line, risk)
    for risk, lines in (
        ("read", READ),
        ("change", CHANGE),
        ("destructive", DESTRUCTIVE),
        ("unknown", UNKNOWN),
    )
    for line in lines.strip().splitlines()
]


@pytest.mark.parametrize(("line", "risk"), CASES, ids=[line for line, _ in CASES])
def test_a_line_is_judged_by_what_it_does(line: str, risk: str) -> None:
    got = classify_line(line)
    assert got.risk == risk, got.findings
