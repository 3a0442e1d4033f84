// A database with functions that write, and a look at what is there.
#ifndef PENSTOCK_TESTS_UNIT_POSTGRES_ONLY_READ_FIXTURE_H_
#define PENSTOCK_TESTS_UNIT_POSTGRES_ONLY_READ_FIXTURE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/postgres/fixture.h"

namespace penstock::postgres {

class OnlyReadTest : public PostgresDriverTest {
 protected:
  OnlyReadTest() : other_(Connect()) {
    Ask("CREATE TABLE marks (i bigint)");
    Ask("INSERT INTO marks VALUES (1)");
    Ask("CREATE SEQUENCE numbers");
    Ask("CREATE MATERIALIZED VIEW kept AS SELECT count(*) FROM marks");
    Ask("CREATE FUNCTION mark(n bigint) RETURNS bigint LANGUAGE sql AS "
        "'INSERT INTO marks VALUES (n) RETURNING i'");
    Ask("CREATE VIEW marking AS SELECT mark(9)");
    Ask("CREATE FUNCTION only_reads() RETURNS bigint LANGUAGE plpgsql AS "
        "$$BEGIN RETURN (SELECT count(*) FROM marks); END$$");
    Ask("CREATE FUNCTION run(code text) RETURNS text LANGUAGE plpgsql AS "
        "$$BEGIN EXECUTE code; RETURN 'done'; END$$");
    Ask("CREATE FUNCTION hides(code text) RETURNS text LANGUAGE plpgsql AS "
        "$$BEGIN EXECUTE code; RETURN 'done'; EXCEPTION WHEN others THEN RETURN 'hidden'; END$$");
    Ask("CREATE PROCEDURE commits() LANGUAGE plpgsql AS "
        "$$BEGIN COMMIT; INSERT INTO marks VALUES (9); COMMIT; END$$");
    state_ = State();
  }

  // Tells what is there, as far as a statement could change it.
  std::string State() {
    Call call(
        "SELECT (SELECT string_agg(i::text, ' ' ORDER BY i) FROM marks), "
        "(SELECT last_value || ' ' || is_called FROM numbers), "
        "(SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE oid >= 16384 AND "
        "relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_toast')), "
        "(SELECT string_agg(proname, ' ' ORDER BY proname) FROM pg_proc WHERE oid >= 16384), "
        "(SELECT count(*) FROM pg_attribute WHERE attrelid = 'marks'::regclass), "
        "(SELECT count(*) FROM pg_largeobject_metadata), (SELECT relacl::text FROM pg_class WHERE "
        "oid = 'marks'::regclass), obj_description('marks'::regclass), "
        "(pg_stat_file('/tmp/penstock_only_read_made', true)).size, "
        "(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = "
        "(SELECT oid FROM pg_database WHERE datname = current_database()))");
    driver::StatementRun* const run = &call.run;
    other_->RunBatch({&run, 1});
    EXPECT_TRUE(call.run.status.ok()) << call.run.status;
    return call.row();
  }
  void ExpectUnchanged(const std::string& after) { EXPECT_EQ(State(), state_) << after; }

  std::unique_ptr<Call> TryAsReader(const std::string& sql, std::vector<Value> args = {}) {
    auto call = std::make_unique<Call>(sql, std::move(args));
    call->run.must_only_read = true;
    driver::StatementRun* const run = &call->run;
    EXPECT_EQ(connection_->RunBatch({&run, 1}), 1u);
    return call;
  }
  std::unique_ptr<driver::Connection> other_;
  std::string state_;
};

}  // namespace penstock::postgres

#endif  // PENSTOCK_TESTS_UNIT_POSTGRES_ONLY_READ_FIXTURE_H_
