"""helm, meshes, deployment tools and etcd."""

from __future__ import annotations

import pytest

from cockpit.guard.classify import classify_line

READS = [
    "helm list", "helm diff upgrade web ./web", "helm upgrade web ./web --dry-run", "helm get values web",
    "helm template web ./web", "argocd app list", "argocd app diff x", "argocd app sync x --dry-run",
    "flux get all", "velero backup get", "etcdctl member list", "etcdctl get / --prefix --keys-only",
    "istioctl proxy-status", "istioctl pc clusters web", "linkerd check", "helmfile version",
    "helm uninstall x --help", "helm ls -aA", "helm get values \"$r\" -n \"$ns\"",
    "argocd app get x --refresh", "argocd cluster list", "flux tree kustomization x", "flux logs -f",
    "flux version", "etcdctl snapshot status x", "istioctl x describe pod y",
]  # fmt: skip
CHANGES = [
    "helm upgrade web ./web", "helm upgrade web ./web --dry-run --dependency-update",
    "helm template web ./web --output-dir x", "argocd app sync x", "flux reconcile source git x",
    "velero backup create x", "helm upgrade --install x y", "helm upgrade x y --set --dry-run",
]  # fmt: skip
DESTROYS = [
    "argocd app delete x", "argocd app sync x --prune", "velero backup delete x", "etcdctl del x",
    "helm uninstall -n --help x", "helm --kube-context list uninstall x", "helm --foo list uninstall x",
    "helm uninstall x --dry-run=false", "helm delete x --description --dry-run",
    "etcdctl --endpoints get del x", "etcdctl watch x -- rm y", "istioctl uninstall --purge",
    "argocd --server list app delete x", "flux -n get delete kustomization x",
]  # fmt: skip
UNKNOWN = [
    "helm upgrade web ./web --dry-run --post-renderer ./x", "helm secrets view x",
]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "risk"),
    [(line, "read") for line in READS]
    + [(line, "change") for line in CHANGES]
    + [(line, "destructive") for line in DESTROYS]
    + [(line, "unknown") for line in UNKNOWN],
)
def test_a_line_of_delivery_has_its_risk(line: str, risk: str) -> None:
    assert classify_line(line).risk == risk, classify_line(line).findings
