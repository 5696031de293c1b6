"""kubectl and what shares its subcommands: dry runs, values that look like subcommands, commands behind `--`."""

from __future__ import annotations

import pytest

from cockpit.guard.classify import classify_line
from tests.helpers.risks import labelled

READS = [
    "kubectl get pods -h", "kubectl api-resources",
    "kubectl get po,svc,deploy -n shop -o wide --show-labels",
    "kubectl -n shop logs web-3 -c app -f --tail 20", "kubectl get pod web-3 -o yaml --context=prod",
    "kubectl get nodes --kubeconfig ~/.kube/prod", "KUBECONFIG=~/.kube/prod kubectl get ns",
    "kubectl exec -it web-3 -- ls /", "kubectl exec web-3 -c app -- cat /etc/hosts",
    "kubectl exec -n shop -it deploy/web -c app -- sh -c 'ls; id'",
    "kubectl create job x --from=cronjob/y --dry-run=client -o yaml",
    "kubectl rollout undo deploy/x --dry-run=server", "kubectl plugin list", "kubectl top pod --containers",
    "kubectl get events -w", "oc get pods", "oc whoami", "oc status", "oc rollout status dc/x",
    "oc adm top nodes", "oc project", "kubectl config current-context", "kubens", "kubectx -c",
    "stern web -n shop --since 5m", "k9s version", "kubeadm token list", "kubeadm certs check-expiration",
    "minikube status", "minikube kubectl -- get pods", "kind get clusters", "kustomize build x",
    "oc logs web -f", "oc get routes -n x", "oc adm node-logs x", "kubectl get --raw /healthz",
    "kubectl logs -l app=x --tail=-1", "kubectl cluster-info dump", "kubectl explain pod",
    "kubectl auth can-i get pods", "kubectl diff -k x", "kubectl apply -f x --dry-run=server",
    "kubectl apply -f x --prune --all --dry-run=client", "kubectl delete pod x --help",
    "kubectl delete pod -h", "kubectl get --raw=/metrics", "kubectl get pods --v=6",
    "kubectl get pods -v 6", "kubectl -v8 get pods",
    "for p in $(kubectl get pods -o name); do kubectl logs \"$p\" --tail=5; done",
    "kubectl get pods -o name | xargs -n1 kubectl describe", "kubeadm config images list",
    "oc get pods -o wide", "oc -n x logs deploy/y", "kubectl get all -n x --ignore-not-found",
    "kubectl get pods -o=custom-columns=NAME:.metadata.name --no-headers=true", "kubectl get pods -Aowide",
    "kubectl get deploy -o jsonpath --template='{.x}'",
    "kubectl describe pods -l app=x --show-events=false",
    "kubectl logs -p web-3 --since-time=2024-01-01T00:00:00Z --max-log-requests 10",
    "kubectl logs --selector app=x --all-pods=true --ignore-errors", "kubectl api-versions | grep apps",
    "kubectl get componentstatuses", "kubectl exec web -it --container app -- env",
    "kubectl exec -i web -- cat < /dev/null", "kubectl exec svc/web -- ls -la",
    "kubectl get --show-kind --show-labels pods", "kubectl rollout status deploy -l app=x -w=false",
    "kubectl rollout history sts/x -o yaml", "kubectl config get-clusters",
    "kubectl config view --raw --flatten", "kubectl auth can-i create pods --all-namespaces",
    "kubectl top pod --sum", "kubectl label --list pods web-3",
    "kubectl set resources deploy x --limits=cpu=1 --dry-run=client -o yaml",
    "kubectl create cm x --from-file=a -o yaml --dry-run=client",
    "kubectl create secret generic x --from-literal a=b --dry-run=server",
    "kubectl expose deploy x --port 80 --dry-run=client -o yaml",
    "kubectl autoscale deploy x --max 3 --dry-run=client",
    "kubectl run x --image=y --dry-run=client -oyaml", "kubectl patch deploy x -p '{}' --dry-run=server",
    "kubectl apply -k x --dry-run=server -o name", "kubectl apply -f - --dry-run=client",
    "kubectl replace -f x --dry-run=server", "kubectl cordon x --dry-run=client",
    "kubectl taint node x a=b:NoSchedule --dry-run=client", "kubectl delete -f x --dry-run=server",
    "kubectl delete pods --field-selector=status.phase=Failed --dry-run=client -A",
    "kubectl rollout restart deploy x --help",
    "kubectl wait --for=jsonpath='{.status.phase}'=Running pod/x", "kubectl completion bash",
    "kubectl options", "kubectl version --client",
]  # fmt: skip
CHANGES = [
    "kubectl annotate pod x a=b", "kubectl create job x --from=cronjob/y",
    "kubectl scale deploy x --replicas 3 --profile=cpu --dry-run=client",
    "kubectl delete pod x --dry-run=client --profile=cpu", "kubectl rollout undo deploy/x",
    "kubectl create token sa", "oc rollout latest dc/x", "oc project shop", "kubectl config set-context x",
    "kubens shop", "kustomize build x -o y", "oc login x", "kubectl cluster-info dump --output-directory x",
    "kubectl apply -f x", "kubectl drain x", "kubectl cp x:/a b", "oc scale deploy/x --replicas=2",
]  # fmt: skip
DESTROYS = [
    "kubectl delete --dry-run=client --dry-run=none pod x", "kubectl delete pod x --foo --dry-run=client",
    "kubectl delete pod -n --dry-run=client x", "kubectl delete pod x -- --dry-run=client",
    "kubectl delete -l --dry-run=client pod", "oc delete project x", "kubeadm reset", "minikube delete",
    "kind delete cluster", "oc delete pod x", "kubectl apply -f x --prune --all",
    "kubectl replace --force -f x", "kubectl drain x --force", "kubectl delete pod -n -h",
    "kubectl --namespace=x delete pod y", "kubectl -nx delete pod y", "kubectl -n x -v 9 delete pod y",
    "kubectl --foo x delete pod y", "kubectl --foo delete get pod", "kubectl delete pods -l a=b -h=false",
    "kubectl delete pods --help=false x", "kubeadm reset -f", "minikube -p status delete",
    "minikube ssh -- rm x", "minikube kubectl -- delete pod x", "k3s kubectl delete pod x",
    "oc -n get delete pod x",
]  # fmt: skip
UNKNOWN = [
    "kubectl foo get pods", "k9s", "kubectl exec -it x -- bash", "kubectl $verb pods",
    "kubectl kustomize --enable-exec x", "kubectl kustomize --enable-helm --helm-command=./x y",
    "kubectl some-plugin list", "kubectl-foo get",
]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "risk"), labelled(read=READS, change=CHANGES, destructive=DESTROYS, unknown=UNKNOWN)
)
def test_a_line_of_kubernetes_has_its_risk(line: str, risk: str) -> None:
    assert classify_line(line).risk == risk, classify_line(line).findings


@pytest.mark.parametrize(
    ("line", "undo"),
    [
        ("kubectl cordon node-1", "kubectl uncordon node-1"),
        ("kubectl rollout pause deploy/x", "kubectl rollout resume deploy/x"),
        ("kubectl rollout restart deploy/x", "kubectl rollout undo deploy/x"),
    ],
)
def test_a_change_says_how_it_is_undone(line: str, undo: str) -> None:
    assert classify_line(line).findings[0].undo == undo


@pytest.mark.parametrize(
    ("line", "preview"),
    [
        ("kubectl apply -f x.yaml", "kubectl diff -f x.yaml"),
        ("kubectl -n shop delete pod x", "kubectl -n shop delete --dry-run=server pod x"),
        ("kubectl scale deploy/x --replicas=0", "kubectl scale --dry-run=server deploy/x --replicas=0"),
    ],
)
def test_a_change_says_what_shows_its_effect(line: str, preview: str) -> None:
    found = classify_line(line).findings[0]
    assert " ".join(found.preview) == preview
    assert classify_line(preview).risk == "read"


@pytest.mark.parametrize(
    "kind", ["pvc", "pv", "ns", "namespace", "persistentvolumeclaims", "pods,pvc", "crd"]
)
def test_deleting_what_holds_data_says_so(kind: str) -> None:
    assert any("data" in each.why for each in classify_line(f"kubectl delete {kind} x").findings)
