"""docker, podman and what lies below: options of their own before a subcommand, commands in containers."""

from __future__ import annotations

import pytest

from cockpit.guard.classify import classify_line
from tests.helpers.risks import labelled

READS = [
    "docker ps", "docker container ls -a", "docker image ls", "docker compose ps",
    "docker compose -f a.yml -p shop logs -f --tail=10 web", "docker-compose logs -f",
    "docker compose exec web ls", "docker system df", "docker context ls", "docker -H tcp://x ps",
    "docker --context prod ps", "docker inspect web --format '{{.State}}'", "docker stats --no-stream",
    "docker save x", "podman ps", "podman machine ls", "nerdctl -n k8s.io ps", "docker buildx ls",
    "docker exec -it=false web ls", "crictl ps", "crictl exec -it abc ls", "skopeo inspect docker://x",
    "buildah images", "docker compose down -h", "docker compose top", "docker network ls", "docker node ls",
    "docker info", "docker service logs x", "podman system df", "docker ps -q | xargs docker inspect",
    "docker inspect $(docker ps -q)", "docker logs \"$c\"", "skopeo list-tags docker://x",
    "crictl inspect x", "ctr -n k8s.io c ls", "ctr c info x", "docker ps --no-trunc -aq",
    "docker logs -ft --tail=5 web", "docker inspect --type=container -s web",
    "docker container stats --no-stream", "docker image inspect x", "docker image history x",
    "docker volume inspect x", "docker compose --profile x config", "docker compose events --json",
    "docker compose port web 80", "docker compose images", "docker compose ls -a", "docker compose version",
    "docker stack ps x", "docker service inspect --pretty x", "docker swarm unlock-key", "docker secret ls",
    "docker config inspect x", "docker plugin ls", "docker search nginx", "docker version",
    "docker --version", "docker buildx du", "docker buildx imagetools inspect x",
    "docker manifest inspect x", "docker trust inspect x", "docker system info",
    "docker system events --since 1h --until 1m", "docker exec -u 0 -w /tmp web ls",
    "docker exec web cat /etc/os-release", "docker wait web", "docker container port web",
    "docker container top web", "podman top -l", "podman network inspect x", "podman healthcheck run web",
    "podman secret ls", "podman volume ls", "podman events --stream=false", "podman kube generate web",
    "nerdctl images", "nerdctl compose ps", "ctr images check", "ctr plugins ls", "crictl stats",
    "crictl info",
]  # fmt: skip
CHANGES = [
    "docker context use x", "docker save x -o y.tar", "docker run --rm alpine ls", "docker buildx create",
    "ctr run x y", "docker compose -f x up -d", "podman --out x ps",
]  # fmt: skip
DESTROYS = [
    "docker container rm x", "docker container prune -f", "docker image prune -a", "docker-compose down",
    "docker volume rm x", "docker -H x rm y", "docker --foo x rm y", "docker --foo rm ps",
    "docker container rm ps", "docker exec -e A=b -w /x web rm x", "docker exec --env A=b web rm x",
    "docker run -v a:b --name ps alpine rm x", "docker compose -p logs down",
    "docker compose --profile x down", "docker compose --foo ps down", "podman --log-level x pod rm y",
    "nerdctl -n k8s.io rm x", "skopeo delete docker://x", "crictl -r x rm y", "ctr -n x images rm y",
]  # fmt: skip
UNKNOWN = [
    "docker compose exec web sh", "docker $x", "docker --runtime=x ps", "docker exec web $x", "docker foo",
]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "risk"), labelled(read=READS, change=CHANGES, destructive=DESTROYS, unknown=UNKNOWN)
)
def test_a_line_of_containers_has_its_risk(line: str, risk: str) -> None:
    assert classify_line(line).risk == risk, classify_line(line).findings


def test_a_group_that_repeats_its_program_is_named_as_it_was_written() -> None:
    found = classify_line("docker container rm -f web").findings[0]
    assert found.part == "docker container rm -f web"


@pytest.mark.parametrize("line", ["docker compose down -v", "docker-compose down -v"])
def test_compose_is_the_same_under_both_names(line: str) -> None:
    assert [each.part for each in classify_line(line).findings] == [line] * 2
