// A table that many rows are put into by one request.
#ifndef PENSTOCK_TESTS_UNIT_POSTGRES_ROWS_FIXTURE_H_
#define PENSTOCK_TESTS_UNIT_POSTGRES_ROWS_FIXTURE_H_

#include <memory>
#include <string>
#include <vector>

#include "tests/unit/postgres/fixture.h"

namespace penstock::postgres {

using Rows = std::vector<std::vector<Value>>;

class RowsTest : public PostgresDriverTest {
 protected:
  std::unique_ptr<Call> TryRows(const std::string& sql, const Rows& rows) {
    auto call = std::make_unique<Call>(sql);
    call->run.rows = rows;
    driver::StatementRun* const run = &call->run;
    EXPECT_EQ(connection_->RunBatch({&run, 1}), 1u);
    return call;
  }
  // How often the table's rows came in, from a trigger on the statement.
  void CountStatements(const std::string& table) {
    Ask("CREATE TABLE statements (n bigint)");
    Ask("CREATE FUNCTION count_statement() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN INSERT INTO statements VALUES (1); RETURN NULL; END'");
    Ask("CREATE TRIGGER counted AFTER INSERT ON " + table +
        " FOR EACH STATEMENT EXECUTE FUNCTION count_statement()");
  }
};

}  // namespace penstock::postgres

#endif  // PENSTOCK_TESTS_UNIT_POSTGRES_ROWS_FIXTURE_H_
