#!/usr/bin/env python3
"""Checks what can be checked of Dockerfile and docker-compose.yml without a Docker engine.

`docker-compose config` of Debian's docker-compose validates the file by the schema of the compose
specification that is a part of that package; it asks no engine and no network. What the schema
leaves open is checked here. scripts/image builds the image and tries it.
"""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PASSWORDS = {"POSTGRES_PASSWORD": "one-secret", "COCKROACH_PASSWORD": "other-secret"}
# What every Debian has, or every C++ library depends on.
TOOLCHAIN = {"libc6", "libgcc-s1", "libstdc++6"}


def compose(file, environment):
    """What docker-compose makes of a file: exit code, standard output and standard error."""
    done = subprocess.run(
        ["docker-compose", "--file", file, "config"],
        capture_output=True,
        text=True,
        check=False,
        # From a folder without an .env file.
        cwd=os.path.join(ROOT, "tests", "packaging"),
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **environment},
    )
    return done.returncode, done.stdout, done.stderr


class Compose(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.file = os.path.join(ROOT, "docker-compose.yml")
        code, text, error = compose(cls.file, PASSWORDS)
        assert code == 0, error
        cls.services = yaml.safe_load(text)["services"]
        cls.volumes = yaml.safe_load(text)["volumes"]
        with open(os.path.join(ROOT, "deploy/compose/penstock.yaml"), encoding="utf-8") as config:
            cls.config = yaml.safe_load(config)

    def test_the_schema_is_applied(self):
        with open(self.file, encoding="utf-8") as good:
            text = good.read()
        for right, wrong in [("depends_on:", "depend_on:"), ("service_healthy", "service_well")]:
            self.assertIn(right, text)
            with tempfile.NamedTemporaryFile("w", suffix=".yml", encoding="utf-8") as bad:
                bad.write(text.replace(right, wrong, 1))
                bad.flush()
                code, _, error = compose(bad.name, PASSWORDS)
            self.assertNotEqual(code, 0)
            self.assertIn("is invalid", error)

    def test_each_service_has_a_health_check_and_a_volume(self):
        self.assertEqual(set(self.services), {"penstockd", "postgres", "cockroachdb"})
        for name, service in self.services.items():
            self.assertTrue(service["healthcheck"]["test"], name)
            sources = {volume.split(":")[0] for volume in service["volumes"]}
            self.assertTrue(sources & set(self.volumes), name)

    def test_penstockd_waits_for_the_databases(self):
        waits = self.services["penstockd"]["depends_on"]
        healthy = {"condition": "service_healthy"}
        self.assertEqual(waits, {"postgres": healthy, "cockroachdb": healthy})

    def test_passwords_are_in_the_environment_only(self):
        for name, service in self.services.items():
            rest = {key: value for key, value in service.items() if key != "environment"}
            for password in PASSWORDS.values():
                self.assertNotIn(password, str(rest), name)
        for missing in PASSWORDS:
            code, _, error = compose(self.file, {k: v for k, v in PASSWORDS.items() if k != missing})
            self.assertNotEqual(code, 0)
            self.assertIn(".env", error)

    def test_nothing_is_published_beyond_this_machine(self):
        for name, service in self.services.items():
            for port in service.get("ports", []):
                self.assertTrue(port.startswith("127.0.0.1:"), f"{name}: {port}")

    def test_the_configuration_fits(self):
        penstockd = self.services["penstockd"]
        self.assertIn(
            os.path.join(ROOT, "deploy/compose/penstock.yaml:/etc/penstock/penstock.yaml:ro"),
            penstockd["volumes"],
        )
        self.assertEqual(set(self.config["databases"]), {"main", "pg", "crdb"})
        for name, service in [("pg", "postgres"), ("crdb", "cockroachdb")]:
            database = self.config["databases"][name]
            self.assertEqual((database["driver"], database["host"]), (service, service))
            self.assertIn(database["password_env"], penstockd["environment"])
            its = self.services[service]["environment"]
            prefix = "POSTGRES_" if name == "pg" else "COCKROACH_"
            self.assertEqual(
                its[prefix + "PASSWORD"], penstockd["environment"][database["password_env"]]
            )
            self.assertEqual(its[prefix + "USER"], database["username"])

    def test_the_daemon_takes_the_configurations(self):
        for file in ["deploy/compose/penstock.yaml", "deploy/container/penstock.yaml"]:
            with tempfile.TemporaryDirectory() as folder:
                done = subprocess.run(
                    [
                        os.path.join(os.environ["PENSTOCK_BINARY_DIR"], "penstockd"),
                        *["--check", "--data-dir", folder, "--config", os.path.join(ROOT, file)],
                    ],
                    capture_output=True,
                    text=True,
                    check=False,
                    env=PASSWORDS,
                )
            self.assertEqual(done.returncode, 0, file + ": " + done.stderr)


class Image(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(os.path.join(ROOT, "Dockerfile"), encoding="utf-8") as file:
            cls.stages = re.split(r"(?m)^FROM ", file.read())[1:]

    def test_it_has_the_libraries_that_the_programs_link(self):
        packages = set(re.findall(r"(?m)^ {8}(\S+) \\$", self.stages[-1]))
        self.assertIn("libgrpc++1.51", packages)
        # With what they depend on, as far as it is installed here.
        todo = list(packages)
        while todo:
            depends = subprocess.run(
                ["dpkg-query", "--show", "--showformat", "${Depends}", todo.pop()],
                capture_output=True,
                text=True,
                check=False,
            ).stdout
            for package in re.findall(r"(?:^|[,|] *)([a-z0-9][a-z0-9+.-]*)", depends):
                if package not in packages:
                    packages.add(package)
                    todo.append(package)
        for program in ["penstockd", "penstock"]:
            path = os.path.join(os.environ["PENSTOCK_BINARY_DIR"], program)
            header = subprocess.run(
                ["readelf", "--dynamic", path], capture_output=True, text=True, check=True
            ).stdout
            libraries = re.findall(r"\(NEEDED\).*\[(.*)\]", header)
            self.assertIn("libc.so.6", libraries)
            for library in libraries:
                owners = subprocess.run(
                    ["dpkg-query", "--search", f"*/{library}"],
                    capture_output=True,
                    text=True,
                    check=True,
                ).stdout
                owners = set(re.findall(r"(?m)^([^:\s]+):", owners))
                self.assertTrue(owners & (packages | TOOLCHAIN), f"{program}: {library}: {owners}")

    def test_it_is_safe_as_it_is(self):
        last = self.stages[-1]
        self.assertRegex(last, r"(?m)^USER \d+:\d+$")
        self.assertRegex(last, r"(?m)^HEALTHCHECK ")
        self.assertRegex(last, r"(?m)^STOPSIGNAL SIGTERM$")
        self.assertNotRegex(last, r"(?m)^ENV .*INSECURE")


if __name__ == "__main__":
    if not shutil.which("docker-compose"):
        raise SystemExit("docker-compose is missing; run scripts/install-deps test")
    unittest.main()
