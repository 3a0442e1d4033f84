#!/usr/bin/env python3
"""Builds the client library alone, installs it into an empty prefix and uses it from there.

client_alone_test.py SOURCE_DIR WORK_DIR [LAUNCHER]: WORK_DIR keeps the build for the next run.

What it proves: with -DPENSTOCK_CLIENT_ONLY=ON no library but gRPC, protobuf, Abseil and OpenSSL
(gRPC's own) is asked for. Where mount namespaces are permitted, headers, archives and package files
of the others are hidden from the whole test, so that nothing of it can have been compiled with them. Elsewhere
CMake's find_package of them is disabled and the headers that were compiled are looked through,
which leaves open whether a linker or pkg-config could have found one; a line of the output says so.
"""

import glob
import os
import subprocess
import sys
import tempfile
import unittest

# What a machine for the client need not have, by where Debian's packages keep it.
HEADERS = ["rocksdb", "sqlite3.h", "sqlite3ext.h", "pqxx", "postgresql", "prometheus", "spdlog",
           "fmt", "gtest", "gmock", "CLI", "yaml-cpp", "pg_query.h", "jemalloc", "microhttpd.h",
           "nlohmann", "sodium.h"]
PACKAGES = ["RocksDB", "SQLite3", "spdlog", "fmt", "yaml-cpp", "prometheus-cpp", "GTest", "CLI11",
            "nlohmann_json"]
LIBRARIES = ["rocksdb", "sqlite3", "pqxx", "pq", "prometheus-cpp*", "spdlog", "fmt", "gtest*",
             "gmock*", "yaml-cpp", "pg_query", "jemalloc", "microhttpd", "sodium"]
HIDDEN = "PENSTOCK_TEST_HIDDEN"

# A program of somebody else's.
PROGRAM = """
#include <iostream>
#include <penstock/penstock.h>
#include <penstock/sql.h>
int main(int argc, char** argv) {
  auto db = penstock::New({.target = argc > 1 ? argv[1] : "127.0.0.1:1"});
  auto one = (*db)->QueryRow<int64_t>(penstock::Context(), "SELECT $1 + 1", 41);
  if (one.ok()) std::cout << *one;
  if (!one.ok()) std::cout << one.status();
  return one.ok() ? 0 : 1;
}
"""


def paths_to_hide():
    library_folders = ["/usr/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"]
    patterns = [f"/usr/include/{name}" for name in HEADERS]
    patterns += [f"/usr/include/*-linux-gnu/{name}" for name in HEADERS]
    for folder in library_folders:
        for name in LIBRARIES:
            patterns.append(f"{folder}/lib{name}.a")
            patterns += [f"{folder}/pkgconfig/{start}{name}.pc" for start in ("", "lib")]
        patterns += [f"{folder}/cmake/{name}*" for name in PACKAGES]
        patterns += [f"{folder}/cmake/{name.lower()}*" for name in PACKAGES]
    return [path for pattern in patterns for path in glob.glob(pattern)]


def hide():
    """Within a mount namespace of its own: an empty folder or file in each one's place."""
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    empty = tempfile.mkdtemp()
    for path in paths_to_hide():
        instead = empty if os.path.isdir(path) else "/dev/null"
        subprocess.run(["mount", "--bind", instead, path], check=True)


def namespaces_are_permitted():
    done = subprocess.run(["unshare", "--mount", "mount", "--make-rprivate", "/"],
                          capture_output=True, check=False)
    return done.returncode == 0


class ClientAlone(unittest.TestCase):
    source = work = launcher = ""

    @classmethod
    def run_command(cls, command, **options):
        done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
        if done.returncode != 0:
            raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    @classmethod
    def setUpClass(cls):
        cls.build = cls.work + "/build"
        cls.prefix_folder = tempfile.TemporaryDirectory()
        cls.prefix = cls.prefix_folder.name + "/penstock"
        disabled = [f"-DCMAKE_DISABLE_FIND_PACKAGE_{name}=ON" for name in PACKAGES]
        cls.run_command(["cmake", "-S", cls.source, "-B", cls.build, "-G", "Ninja",
                         "-DPENSTOCK_CLIENT_ONLY=ON", "-DCMAKE_BUILD_TYPE=Debug",
                         "-DCMAKE_CXX_COMPILER_LAUNCHER=" + cls.launcher, *disabled])
        cls.run_command(["cmake", "--build", cls.build, "--parallel", "2"])
        cls.run_command(["cmake", "--install", cls.build, "--component", "client",
                         "--prefix", cls.prefix])

    @classmethod
    def tearDownClass(cls):
        cls.prefix_folder.cleanup()

    def installed(self):
        return {os.path.relpath(os.path.join(folder, name), self.prefix)
                for folder, _, names in os.walk(self.prefix) for name in names}

    def pkg_config(self, *arguments):
        libraries, = glob.glob(self.prefix + "/lib*/**/pkgconfig", recursive=True)
        return self.run_command(["pkg-config", *arguments, "penstock"],
                                env={**os.environ, "PKG_CONFIG_PATH": libraries}).split()

    def compile(self, output, *options):
        program = self.prefix_folder.name + "/program.cc"
        with open(program, "w", encoding="utf-8") as file:
            file.write(PROGRAM)
        self.run_command(["c++", "-std=c++20", *self.pkg_config("--cflags"), program, "-o", output,
                          *options, *self.pkg_config("--libs")])

    def run_with_daemon(self, command):
        """The output of `command`, to which the address of a daemon is added."""
        programs = os.environ["PENSTOCK_BINARY_DIR"]
        with tempfile.TemporaryDirectory() as folder:
            target = f"unix:{folder}/penstock.sock"
            config = folder + "/penstock.yaml"
            with open(config, "w", encoding="utf-8") as file:
                file.write(f"data_dir: {folder}\n"
                           f"server: {{listen: ['{target}'], http_listen: '127.0.0.1:0'}}\n"
                           "databases:\n  main: {driver: sqlite}\n")
            with subprocess.Popen([programs + "/penstockd", "--config", config], cwd=folder,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  text=True) as daemon:
                try:
                    while "penstockd ready" not in (line := daemon.stdout.readline()):
                        self.assertTrue(line, "penstockd ended before it was ready")
                    return self.run_command([*command, target], cwd=folder)
                finally:
                    daemon.terminate()
                    daemon.communicate()

    def test_what_is_installed(self):
        files = self.installed()
        libraries, = glob.glob(self.prefix + "/lib*/**/pkgconfig", recursive=True)
        library = os.path.relpath(os.path.dirname(libraries), self.prefix)
        for wanted in [library + "/libpenstock_client.a", library + "/libpenstock_wire.a",
                       library + "/pkgconfig/penstock.pc",
                       library + "/cmake/penstock/penstockConfig.cmake",
                       library + "/cmake/penstock/penstockConfigVersion.cmake",
                       "include/penstock/penstock.h", "include/penstock/sql/select.h",
                       "share/penstock/proto/penstock/v1/database.proto",
                       "share/penstock/examples/orders.cc",
                       "share/penstock/examples/shop.h",
                       "share/penstock/examples/CMakeLists.txt"]:
            self.assertIn(wanted, files)
        self.assertEqual([name for name in files if name.startswith(("bin/", "sbin/"))], [])

    def test_no_header_of_another_library_was_compiled(self):
        dependencies = self.run_command(["ninja", "-C", self.build, "-t", "deps"]).split()
        self.assertIn(self.source + "/client/include/penstock/provider.h",
                      [os.path.normpath(os.path.join(self.build, path)) for path in dependencies])
        for name in HEADERS:
            self.assertEqual([path for path in dependencies if path == f"/usr/include/{name}" or
                              path.startswith(f"/usr/include/{name}/")], [])

    def test_everything_else_is_out_of_reach(self):
        if HIDDEN not in os.environ:
            print("not hidden: mount namespaces are not permitted here")
            return
        done = subprocess.run(["cmake", "-S", self.source, "-B", self.prefix_folder.name + "/all"],
                              capture_output=True, text=True, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("fmt", done.stderr)

    def test_find_package_and_the_examples(self):
        build = self.prefix_folder.name + "/examples"
        self.run_command(["cmake", "-S", self.prefix + "/share/penstock/examples", "-B", build, "-G",
                          "Ninja", "-DCMAKE_PREFIX_PATH=" + self.prefix,
                          "-DCMAKE_CXX_COMPILER_LAUNCHER=" + self.launcher])
        self.run_command(["cmake", "--build", build, "--parallel", "2"])
        self.run_with_daemon([build + "/example_quickstart"])

    def test_pkg_config(self):
        program = self.prefix_folder.name + "/program"
        self.compile(program)
        self.assertEqual(self.run_with_daemon([program]), "42")

    def test_the_archives_go_into_a_shared_object(self):
        self.compile(self.prefix_folder.name + "/program.so", "-shared", "-fPIC", "-Wl,-z,defs")

    def test_the_tree_may_be_moved(self):
        moved = self.prefix_folder.name + "/moved"
        os.rename(self.prefix, moved)
        try:
            libraries, = glob.glob(moved + "/lib*/**/pkgconfig", recursive=True)
            flags = self.run_command(["pkg-config", "--cflags", "--libs", "penstock"],
                                     env={**os.environ, "PKG_CONFIG_PATH": libraries})
            include = [flag[2:] for flag in flags.split() if flag.endswith("/include")]
            self.assertTrue(os.path.exists(include[0] + "/penstock/penstock.h"), flags)
            self.assertNotIn(self.prefix + "/", flags)
        finally:
            os.rename(moved, self.prefix)


def main():
    ClientAlone.source, ClientAlone.work = sys.argv[1:3]
    ClientAlone.launcher = sys.argv[3] if len(sys.argv) > 3 else ""
    if HIDDEN in os.environ:
        hide()
    elif namespaces_are_permitted():
        os.environ[HIDDEN] = "1"
        os.execvp("unshare", ["unshare", "--mount", sys.executable, *sys.argv])
    unittest.main(argv=sys.argv[:1], verbosity=2)


if __name__ == "__main__":
    main()
