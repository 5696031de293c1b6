"""aws, gcloud, az and smaller clouds: verbs behind groups, files that are written, methods."""

from __future__ import annotations

import pytest

from cockpit.guard.classify import classify_line

READS = [
    "aws s3 ls", "aws ec2 describe-instances --instance-ids i-1 i-2 --output table",
    "aws ec2 delete-volume --volume-id x --dry-run", "aws --profile x --region y ec2 describe-vpcs",
    "aws ssm get-parameters-by-path --path /x", "aws ecr get-login-password", "aws configure list",
    "aws help", "aws ec2 help", "aws ec2 describe-instances help", "aws logs tail x --follow",
    "aws lambda list-functions", "aws cloudwatch get-metric-data --cli-input-json file://x.json",
    "aws sso list-accounts --access-token x", "gcloud compute instances list",
    "gcloud compute instances describe x --zone y", "gcloud run services list",
    "gcloud run services logs read x", "gcloud container clusters list", "gcloud auth list",
    "gcloud auth print-access-token", "gcloud config get-value project", "gcloud logging tail 'x'",
    "gcloud sql instances list", "gcloud functions logs read x", "gcloud iam service-accounts list",
    "gcloud iam service-accounts keys list --iam-account x", "gcloud dns record-sets list --zone x",
    "gcloud beta container clusters list", "gcloud info", "gcloud version", "gcloud projects list",
    "gcloud monitoring dashboards list", "gsutil ls gs://x", "gsutil -m du gs://x", "gsutil cat gs://x",
    "bq ls", "bq show x:y.z", "bq query 'select * from x'", "az vm list", "az vm show -g x -n y",
    "az account list", "az network vnet list", "az backup vault list",
    "az storage blob list -c x --account-name y",
    "az monitor log-analytics query -w x --analytics-query 'y'", "az graph query -q x",
    "az acr repository list -n x", "az version", "az deployment group show -g x -n y",
    "az deployment group what-if -g x -f y", "az aks list", "az rest --url x", "az config get",
    "az functionapp list", "az lock list", "az tag list", "az webapp log tail -g x -n y",
    "az webapp config show -g x -n y", "az role assignment list", "az ad user list",
    "doctl compute droplet list", "hcloud server list", "fly status", "fly logs -a x",
    "heroku logs -t -a x", "gcloud compute instances delete x --help", "az vm delete -g x --help",
    "az container logs -g x -n y", "az network dns record-set a list -g x -z y",
    "az storage account keys list -n x", "az webapp deployment slot list -n x",
    "az functionapp function list -n x", "az storage account list", "aws ecs list-tasks --cluster x | cat",
    "aws ecs describe-tasks --cluster x --tasks \"$t\"",
    "gcloud compute instances describe \"$i\" --zone \"$z\"",
    "az vm show --ids $(az vm list --query '[].id' -o tsv)", "doctl kubernetes cluster list",
    "doctl account get", "hcloud server describe x", "heroku ps -a x", "heroku config:get X -a y",
]  # fmt: skip
CHANGES = [
    "aws ec2 describe-instances > x", "aws s3api get-object --bucket x --key y out",
    "aws sts assume-role --role-arn x", "aws lambda invoke --function-name x out", "aws sso login",
    "gcloud scheduler jobs pause list", "gcloud run deploy x", "gcloud auth login",
    "gcloud compute instances create list", "bq query --destination_table=x 'select 1'",
    "az vm start -g x -n y", "az account set -s x", "az storage blob download -c x -n y -f z",
    "az aks get-credentials -g x -n y", "heroku ps:restart -a x", "az storage account create -n x",
    "heroku config:set X=1 -a y", "aws s3 cp s3://x/y .", "aws s3 cp s3://x/y -x",
    "aws s3api get-object --bucket x --key y /dev/stdout out",
    "aws s3api get-object --bucket /dev/stdout --key y z",
    "aws lambda invoke --function-name x /dev/stdout", "aws configure set x y",
    "aws sqs receive-message --queue-url x", "aws gamelift get-game-session-log --save-as x",
    "gcloud secrets versions access latest --secret x --out-file=y",
    "gcloud compute instances get-screenshot x --destination=y", "gcloud storage cp gs://x/y -z",
    "gcloud config set x list", "gcloud auth revoke", "az rest -m post -u x",
    "az rest -u x --output-file y", "az storage blob upload -f list",
]  # fmt: skip
DESTROYS = [
    "aws ec2 delete-volume --volume-id x", "aws ec2 delete-volume --volume-id x --dry-run --no-dry-run",
    "aws s3api delete-object --bucket x --key y", "gsutil rm gs://x/y",
    "bq query 'DELETE FROM x WHERE true'", "az vm delete -g x -n y", "az rest -m DELETE --url x",
    "doctl compute droplet delete x", "hcloud server delete x",
    "aws --region x ec2 terminate-instances --instance-ids y", "aws --foo ec2 ec2 terminate-instances",
    "aws ec2 --region describe terminate-instances", "aws ec2 terminate-instances --dry-run --no-dry-run",
    "aws ec2 terminate-instances --no-dry-run", "aws s3 rm s3://x", "aws s3 --dryrun=false rm s3://x",
    "aws iam delete-user --user-name list-users", "gcloud compute instances delete list",
    "gcloud --project list compute instances delete x",
    "gcloud beta compute instances delete x --format=list", "gcloud storage objects delete gs://x",
    "gcloud storage rm gs://x", "gcloud container clusters delete describe", "gcloud compute ssh x -- rm y",
    "az vm delete --ids list", "az --query list vm delete -n x", "az rest --method=delete -u list",
    "az group delete -n list", "doctl compute droplet delete list", "hcloud server delete list",
    "heroku pg:reset -a x",
]  # fmt: skip
UNKNOWN = [
    "aws ssm start-session --target i-1", "gcloud compute instances frobnicate list",
    "gcloud scheduler jobs run list", "gcloud compute ssh x",
    "gcloud compute instances list --flags-file=x", "az network frob list", "aws s3 $x",
    "aws foo describe-x", "aws $x describe-x", "aws ec2 describe-instances --cli-auto-prompt",
    "gcloud compute frob list", "gcloud compute instances $x list",
    "gcloud compute instances list --flags-file x", "gcloud compute ssh x --command=\"$y\"", "az frob list",
    "az vm frobnicate list", "az $x list", "az rest -m \"$x\" -u y", "az ssh vm -n list",
    "az vm run-command invoke --scripts @list", "heroku run bash",
]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "risk"),
    [(line, "read") for line in READS]
    + [(line, "change") for line in CHANGES]
    + [(line, "destructive") for line in DESTROYS]
    + [(line, "unknown") for line in UNKNOWN],
)
def test_a_line_of_clouds_has_its_risk(line: str, risk: str) -> None:
    assert classify_line(line).risk == risk, classify_line(line).findings
