"""helm, meshes, deployment tools and etcd."""

from __future__ import annotations

import pytest

from cockpit.guard.classify import classify_line
from tests.helpers.risks import labelled

READS = [
    "helm list", "helm diff upgrade web ./web", "helm upgrade web ./web --dry-run", "helm get values web",
    "helm template web ./web", "argocd app list", "argocd app diff x", "argocd app sync x --dry-run",
    "flux get all", "velero backup get", "etcdctl member list", "etcdctl get / --prefix --keys-only",
    "istioctl proxy-status", "istioctl pc clusters web", "linkerd check", "helmfile version",
    "helm uninstall x --help", "helm ls -aA", "helm get values \"$r\" -n \"$ns\"",
    "argocd app get x --refresh", "argocd cluster list", "flux tree kustomization x", "flux logs -f",
    "flux version", "etcdctl snapshot status x", "istioctl x describe pod y",
    "helm list --all-namespaces -o json", "helm history x -n y -o yaml", "helm get all x",
    "helm show chart x/y", "helm search hub x", "helm env", "helm plugin list", "helm version --short",
    "helm dep ls", "helm template x . --set a=b --show-only templates/x.yaml",
    "helm install x y --dry-run --debug", "helm upgrade x y --install --dry-run=server",
    "helm rollback x 3 --dry-run", "istioctl analyze", "istioctl proxy-config routes x -o json",
    "istioctl pc log x", "istioctl version", "istioctl x precheck", "linkerd viz stat deploy",
    "linkerd viz tap deploy/x", "linkerd diagnostics proxy-metrics po/x", "argocd app manifests x",
    "argocd app logs x", "argocd app resources x", "argocd app wait x", "argocd proj get x",
    "argocd repo list", "argocd account get-user-info", "argocd version", "flux check",
    "flux get sources git -A", "flux events --for x/y", "flux stats", "flux diff kustomization x --path y",
    "flux export source git x", "velero get backups", "velero describe backup x", "velero backup logs x",
    "velero schedule get", "etcdctl endpoint health", "etcdctl get x --rev=5", "etcdctl lease list",
    "etcdctl user list", "etcdctl watch x", "etcdctl version",
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
    ("line", "risk"), labelled(read=READS, change=CHANGES, destructive=DESTROYS, unknown=UNKNOWN)
)
def test_a_line_of_delivery_has_its_risk(line: str, risk: str) -> None:
    assert classify_line(line).risk == risk, classify_line(line).findings
