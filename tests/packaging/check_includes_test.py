#!/usr/bin/env python3
"""Shows that check_includes.py finds what it is there to find."""

import os
import subprocess
import sys
import tempfile
import unittest

import check_includes

CHECKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "check_includes.py")


def check(path, text):
    """What the checker says about a tree of one file; empty if it has no finding."""
    with tempfile.TemporaryDirectory() as root:
        os.makedirs(os.path.join(root, os.path.dirname(path)))
        with open(os.path.join(root, path), "w", encoding="utf-8") as file:
            file.write(text)
        done = subprocess.run(
            [sys.executable, CHECKER, root], capture_output=True, text=True, check=False
        )
        assert (done.returncode == 1) == bool(done.stdout), done
        return done.stdout


class CheckIncludes(unittest.TestCase):
    def allows(self, path, include):
        self.assertEqual(check(path, include + "\n"), "")

    def refuses(self, path, include):
        self.assertRegex(check(path, "\n" + include + "\n"), f"^{path}:2: .* may not include ")

    def test_drivers_know_the_interface_and_not_each_other(self):
        self.allows("drivers/sqlite/a.cc", '#include "drivers/api/value.h"')
        self.refuses("drivers/sqlite/a.cc", '#include "drivers/postgres/b.h"')
        self.allows("drivers/pebble/a.cc", '#include "drivers/sqlite_engine/b.h"')
        self.refuses("drivers/pebble/a.cc", '#include "drivers/sqlite/b.h"')
        self.refuses("drivers/sqlite_engine/a.cc", '#include "drivers/pebble/b.h"')
        self.refuses("drivers/sqlite/a.cc", '#include "server/pool/pool.h"')
        self.refuses("drivers/sqlite/a.cc", '#include "penstock/v1/value.pb.h"')
        self.allows("drivers/cockroachdb/a.cc", '#include "drivers/postgres/b.h"')
        self.refuses("drivers/postgres/a.cc", '#include "drivers/cockroachdb/b.h"')

    def test_a_new_driver_is_one_as_the_others(self):
        self.allows("drivers/mysql/a.cc", '#include "drivers/api/value.h"')
        self.refuses("drivers/mysql/a.cc", '#include "drivers/sqlite/b.h"')
        self.refuses("drivers/mysql/a.cc", '#include "migrations/dialect.h"')
        self.allows("drivers/mysql/migrations/a.cc", '#include "migrations/dialect.h"')
        self.allows("drivers/mysql/migrations/a.cc", '#include "drivers/mysql/b.h"')
        self.refuses("drivers/mysql/migrations/a.cc", '#include "drivers/sqlite/migrations/b.h"')
        self.allows("drivers/drivers.cc", '#include "drivers/mysql/b.h"')
        self.refuses("drivers/drivers.cc", '#include "server/pool/pool.h"')
        self.refuses("migrations/a.cc", '#include "drivers/mysql/migrations/b.h"')

    def test_only_rpc_knows_the_wire(self):
        self.allows("server/rpc/a.cc", '#include "penstock/v1/value.pb.h"')
        self.refuses("server/pool/a.cc", "#  include <penstock/v1/value.pb.h>")
        self.refuses("server/database/a.cc", '#include "server/rpc/base/b.h"')
        self.allows("server/main.cc", '#include "server/rpc/b.h"')

    def test_what_calls_share_knows_no_call(self):
        self.allows("server/rpc/migration/a.cc", '#include "server/rpc/database/b.h"')
        self.refuses("server/rpc/database/a.cc", '#include "server/rpc/migration/b.h"')
        self.refuses("server/rpc/base/a.cc", '#include "server/rpc/database/b.h"')
        self.refuses("server/registry/a.cc", '#include "server/database/b.h"')

    def test_the_client_stands_alone(self):
        self.allows("client/src/a.cc", '#include "penstock/v1/value.pb.h"')
        self.allows("client/src/a.cc", "#include <penstock/penstock.h>")
        self.refuses("client/src/a.cc", '#include "drivers/api/value.h"')
        self.refuses("client/sql/a.cc", '#include "penstock/v1/value.pb.h"')
        self.refuses("client/cli/a.cc", '#include "server/config/config.h"')
        self.refuses("client/examples/a.cc", '#include "penstock/v1/value.pb.h"')

    def test_the_ground_floor_carries_all_and_knows_nobody(self):
        self.allows("drivers/api/a.cc", '#include "text/b.h"')
        self.allows("client/src/a.cc", '#include "text/b.h"')
        self.refuses("client/include/penstock/a.cc", '#include "text/b.h"')
        self.refuses("text/a.cc", '#include "drivers/api/value.h"')

    def test_other_peoples_headers_are_free(self):
        self.allows("drivers/sqlite/a.cc", "#include <vector>")
        self.allows("drivers/sqlite/a.cc", '#include "absl/status/status.h"')

    def test_a_folder_nobody_placed(self):
        self.assertIn("server/new/a.cc:1: ", check("server/new/a.cc", "\n"))

    def test_every_entry_is_of_a_folder_that_is_there(self):
        root = os.path.join(os.path.dirname(CHECKER), "..", "..")
        for folder in check_includes.MAY_INCLUDE:
            if "*" not in folder:
                self.assertTrue(os.path.isdir(os.path.join(root, folder)), folder)

    def test_a_path_from_beside(self):
        self.assertIn("server/pool/a.cc:1: ", check("server/pool/a.cc", '#include "a.cc"\n'))

    def test_header_guards(self):
        guard = "#ifndef {0}\n#define {0}\n#endif\n"
        path = "server/pool/pool.h"
        self.assertEqual(check(path, guard.format("PENSTOCK_SERVER_POOL_POOL_H_")), "")
        self.assertIn(":1: ", check(path, guard.format("POOL_H_")))
        self.assertIn(":1: ", check(path, "#pragma once\n"))
        public = "client/include/penstock/rows.h"
        self.assertEqual(check(public, guard.format("PENSTOCK_ROWS_H_")), "")


if __name__ == "__main__":
    unittest.main()
