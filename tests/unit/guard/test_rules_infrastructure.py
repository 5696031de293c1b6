"""terraform, HashiCorp's tools and configuration management: dry runs, modules, templates."""

from __future__ import annotations

import pytest

from cockpit.guard.classify import classify_line
from tests.helpers.risks import labelled

READS = [
    "terraform plan", "terraform plan -destroy", "terraform state list", "terraform -help",
    "terraform plan -h", "terraform fmt -check", "terraform fmt -check -diff -recursive",
    "terraform output -json", "terraform show", "vault read secret/foo",
    "vault read auth/token/lookup-self", "vault read sys/health", "vault secrets list",
    "vault kv list secret/", "consul members", "nomad status", "nomad job status x",
    "nomad alloc exec abc ls -la", "ansible all --list-hosts", "ansible all -m ping",
    "ansible all -m ansible.builtin.setup", "ansible-playbook x.yml --list-hosts",
    "ansible-playbook x.yml --syntax", "ansible-inventory --list", "ansible-vault view x",
    "ansible-galaxy list", "salt '*' test.ping", "salt-call --local grains.items", "salt-key -L",
    "puppet facts", "puppet agent --help", "pulumi stack ls", "pulumi config", "packer validate x",
    "ansible x -m yum -a 'list=installed'", "terraform -chdir=x state show y",
    "terraform state show -no-color x", "tofu plan -var-file=x.tfvars",
    "tofu plan -no-color -input=false -lock=false", "consul kv get -recurse x",
    "vault kv get -format=json secret/x", "vault token lookup", "vault list secret/", "vault audit list",
    "vault auth list", "nomad alloc status x", "nomad node status", "nomad server members",
    "nomad alloc logs -f x", "nomad operator raft list-peers", "terraform providers schema -json",
    "terraform version -json", "terraform workspace show",
    "terraform plan -detailed-exitcode -compact-warnings -var 'a=b' -target=x",
    "terraform plan -refresh-only", "terraform state pull", "terraform show -json | cat",
    "terraform validate -no-color", "terraform console -help", "terragrunt --version",
    "pulumi stack output x", "pulumi stack --show-urns", "pulumi whoami -v", "pulumi about",
    "pulumi logs -f", "vault status", "vault operator key-status", "vault operator raft autopilot state",
    "vault token lookup -accessor x", "vault policy list", "vault lease lookup x", "vault namespace list",
    "vault read -format=json auth/approle/role/x", "vault read sys/mounts",
    "vault read -field=x secret/data/y", "vault kv metadata get secret/x", "vault secrets list -detailed",
    "vault plugin list", "vault kv get -mount=secret x", "vault print token",
    "consul catalog services -tags", "consul catalog nodes -service=x",
    "consul operator autopilot get-config", "consul acl token list", "consul acl policy read -name x",
    "consul config read -kind x -name y", "consul intention list", "consul monitor -log-level=debug",
    "consul kv export x", "consul snapshot inspect x", "consul rtt a b", "nomad job inspect x",
    "nomad job allocs x", "nomad job deployments x", "nomad job plan x.nomad", "nomad deployment status x",
    "nomad eval list", "nomad eval status x", "nomad alloc fs x", "nomad alloc logs -stderr x",
    "nomad node status -self", "nomad namespace list", "nomad var get x", "nomad acl token self",
    "nomad operator autopilot get-config", "nomad service list", "nomad volume status",
    "nomad monitor -log-level=debug", "ansible all -i prod -m setup -a 'filter=x'",
    "ansible all -m ansible.builtin.ping --limit x -u y --become", "ansible web -m win_ping",
    "ansible web -m debug -a 'var=hostvars'", "ansible web -m debug -a 'msg={{ x }}'",
    "ansible localhost -m debug -a 'var=groups'", "ansible web -m community.general.listen_ports_facts",
    "ansible web -m service_facts", "ansible web -a 'cat /etc/hosts'",
    "ansible web -m find -a 'paths=/var/log size=1g'", "ansible-playbook site.yml --list-tasks --list-tags",
    "ansible-inventory -i prod.ini --host x --yaml", "ansible-doc -l -t module", "ansible-config list",
    "ansible-galaxy role list", "ansible-galaxy collection verify x.y", "ansible --version",
    "salt '*' disk.usage", "salt '*' pkg.version x", "salt '*' service.status x", "salt-run manage.up",
    "salt-run jobs.list_jobs", "puppet config print", "puppet module list", "puppet resource service x",
    "puppet lookup x",
]  # fmt: skip
CHANGES = [
    "terraform plan -out=x", "terraform fmt", "terraform fmt -check=false",
    "ansible all -m service -a \"name=x state=restarted\"", "ansible-playbook x.yml",
    "ansible-playbook x.yml --check", "ansible-inventory --list --output x", "ansible-vault edit x",
    "ansible-galaxy collection install x", "salt '*' state.apply", "puppet agent -t", "consul kv put x y",
    "vault token create", "terraform plan -var x=y -out z", "terraform plan --out=z",
    "terraform fmt -write=true", "terraform fmt -check -check=false", "terraform fmt -recursive .",
    "ansible all -m ping -t x", "ansible all -m ping --tre x", "ansible-playbook x.yml -e list-hosts",
    "ansible-playbook x.yml -e --list-hosts", "ansible-playbook x.yml --tags --list-tags",
    "vault read aws/creds/x", "vault write x y=z",
]  # fmt: skip
DESTROYS = [
    "terraform destroy", "ansible all -m shell -a \"rm -rf /x\"", "salt '*' cmd.run 'rm -rf /x'",
    "salt-key -d x", "terraform -chdir=x state rm y", "nomad job stop x", "terraform -chdir=x destroy",
    "terraform destroy -var -help", "terraform apply -destroy", "terraform apply -destroy=true",
    "terraform --chdir=x apply --destroy", "ansible all -a 'rm x'", "ansible all -a 'chdir=/ rm x'",
    "ansible all -a 'cmd=\"rm x\"'", "ansible all -m shell -a 'ls; rm x'",
    "ansible all -m ansible.builtin.shell -a 'rm x'", "ansible all -mshell -a'rm x'",
    "ansible all --module-name=shell --args='rm x'", "ansible all --mod shell --arg 'rm x'",
    "vault delete x", "vault kv -mount=x delete y", "vault secrets disable x", "consul kv delete x",
    "consul lock x rm y", "nomad alloc exec x rm y", "nomad alloc exec -task z x rm y", "pulumi destroy",
    "pulumi -C preview destroy", "salt '*' pkg.remove x",
]  # fmt: skip
UNKNOWN = [
    "nomad alloc exec -task x abc sh", "ansible all -m ping -e \"x={{ lookup('file', '/x') }}\"",
    "pulumi preview", "ansible x -m setup -a 'fact_path=/tmp/x'", "ansible all -m \"$x\"",
    "ansible all -m shell -a \"$x\"", "ansible all -m shell -a 'ls {{ x }}'", "ansible all -m ping -M x",
    "ansible all -i ./x -m ping", "ansible-inventory -i x.sh --list", "vault read \"$x\"",
    "consul watch -type=key ./x", "salt '*' \"$x\"", "terragrunt plan",
]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "risk"), labelled(read=READS, change=CHANGES, destructive=DESTROYS, unknown=UNKNOWN)
)
def test_a_line_of_infrastructure_has_its_risk(line: str, risk: str) -> None:
    assert classify_line(line).risk == risk, classify_line(line).findings


@pytest.mark.parametrize(
    ("line", "preview"),
    [
        ("terraform apply -target=x", "terraform plan -target=x"),
        ("terraform destroy", "terraform plan -destroy"),
        ("ansible-playbook x.yml", "ansible-playbook --check --diff x.yml"),
    ],
)
def test_a_change_says_what_shows_its_effect(line: str, preview: str) -> None:
    assert " ".join(classify_line(line).findings[0].preview) == preview
