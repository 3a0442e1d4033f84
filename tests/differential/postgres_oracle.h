// psql as the oracle.
#ifndef PENSTOCK_TESTS_DIFFERENTIAL_POSTGRES_ORACLE_H_
#define PENSTOCK_TESTS_DIFFERENTIAL_POSTGRES_ORACLE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/differential/backend.h"
#include "tests/differential/psql.h"

namespace penstock::differential {

// What Oracle says, for PostgreSQL. Values are the server's texts.
class PostgresOracle final : public Oracle {
 public:
  // psql for the database at `own`; the gateway's is at `gateways`. `folder` is for its files.
  static absl::StatusOr<std::unique_ptr<Oracle>> Open(std::string own, std::string gateways,
                                                      std::string folder);

  // `args` must be empty: psql binds no values.
  Answer Run(const std::string& sql, const Values& args) override;
  // True: psql does not prepare either.
  bool Prepares(const std::string&) override { return true; }
  bool in_transaction() const override { return in_transaction_; }
  bool transaction_aborted() const override { return aborted_; }
  bool Same(const v1::Value& own, const v1::Value& gateways, v1::Kind declared) override;
  std::vector<std::string> CompareStored(const std::string& folder) override;
  bool TakeOver(const std::string& folder) override;

 private:
  PostgresOracle(std::string own, std::string gateways, std::string folder)
      : own_(std::move(own)), gateways_(std::move(gateways)), folder_(std::move(folder)) {}
  absl::Status OpenSession();
  // What the statement means for the transaction.
  void Follow(const std::string& sql, bool failed);
  // As the gateway does once no transaction is open.
  void CleanSession();

  const std::string own_;
  const std::string gateways_;
  const std::string folder_;
  std::unique_ptr<Psql> psql_;
  bool in_transaction_ = false;
  bool aborted_ = false;
  // The databases were found to be unlike each other, which stays so.
  bool unlike_ = false;
  // PostgresWriteMark of both when they were found alike.
  std::string alike_at_;
};

}  // namespace penstock::differential

#endif  // PENSTOCK_TESTS_DIFFERENTIAL_POSTGRES_ORACLE_H_
