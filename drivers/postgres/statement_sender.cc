#include "drivers/postgres/statement_sender.h"

#include <algorithm>

#include "drivers/api/error.h"
#include "drivers/postgres/bulk.h"
#include "drivers/postgres/command_runner.h"
#include "fmt/format.h"

namespace penstock::postgres {
namespace {

// Together with the row that passes this limit, a statement is still well within the 16 MiB that
// the server allows for a message.
constexpr size_t kBytesAStatement = size_t{1} << 20;

}  // namespace

bool StatementSender::Send(driver::StatementRun* run, const Statement& statement,
                           std::span<const driver::Value> args, bool leads) {
  run->status = Encode(args, statement);
  if (!run->status.ok()) return false;
  const bool kept = !statement.name.empty() && (run->prepared || !statement.effects.folds);
  const bool led = !leads || ((!run->must_only_read || link_->SendText(kBeginReadOnly)) &&
                              SendSettings(run->settings));
  if (led && (kept ? link_->SendExecute(statement.name, wire_values_) : SendEncoded(statement))) {
    return true;
  }
  run->status = link_->BrokenError();
  return false;
}

// The values travel as parameters, so that nothing has to be quoted. Outside of a transaction the
// segment is one, which the sync ends, and the settings with it.
bool StatementSender::SendSettings(std::span<const driver::Setting> settings) {
  if (settings.empty()) return true;
  std::string sql = "SELECT ";
  std::vector<WireValue> values;
  const auto add = [&values](std::string_view text) {
    // Without data it would be NULL.
    values.push_back({.data = text.empty() ? "" : text.data(),
                      .length = static_cast<int>(text.size()),
                      .binary = true});
    return values.size();
  };
  for (const driver::Setting& setting : settings) {
    sql += values.empty() ? "" : ", ";
    const size_t name = add(setting.name);
    sql += fmt::format("pg_catalog.set_config(${}, ${}, true)", name, add(setting.value));
  }
  const std::vector<uint32_t> types(values.size(), oid::kText);
  return link_->SendParsed(sql, types, values);
}

bool StatementSender::SendEncoded(const Statement& statement) {
  wire_types_.clear();
  for (const Type* type : statement.parameters) wire_types_.push_back(type->oid);
  return link_->SendParsed(statement.sql, wire_types_, wire_values_);
}

absl::Status StatementSender::Encode(std::span<const driver::Value> args,
                                     const Statement& statement) {
  if (args.size() != statement.parameters.size()) {
    return driver::MakeError(
        driver::Reason::kInvalidParameter,
        fmt::format("the statement has {} parameters, but {} values were given",
                    statement.parameters.size(), args.size()));
  }
  arena_.clear();
  parameters_.resize(args.size());
  for (size_t i = 0; i < args.size(); ++i) {
    absl::Status encoded = EncodeParameter(static_cast<int>(i) + 1, args[i],
                                           *statement.parameters[i], &arena_, &parameters_[i]);
    if (!encoded.ok()) return encoded;
  }
  FillWireValues();
  return absl::OkStatus();
}

void StatementSender::FillWireValues() {
  // The arena has stopped growing, so that its bytes stay where they are.
  wire_values_.resize(parameters_.size());
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const Parameter& parameter = parameters_[i];
    wire_values_[i] = {.data = parameter.null ? nullptr : parameter.bytes(arena_).data(),
                       .length = static_cast<int>(parameter.bytes(arena_).size()),
                       .binary = parameter.binary};
  }
}

bool StatementSender::SendArrays(const std::string& name,
                                 std::span<const std::vector<driver::Value>> rows,
                                 std::span<const Type* const> types) {
  arena_.clear();
  parameters_.resize(types.size());
  for (size_t i = 0; i < types.size(); ++i) {
    if (!EncodeBulkColumn(i, rows, *types[i], &arena_, &parameters_[i]).ok()) return false;
  }
  FillWireValues();
  return link_->SendExecute(name, wire_values_);
}

size_t StatementSender::EncodeSeveral(std::span<const std::vector<driver::Value>> rows,
                                      std::span<const Type* const> types, size_t most) {
  arena_.clear();
  parameters_.clear();
  wire_types_.clear();
  size_t bytes = 0;
  size_t count = 0;
  for (; count < std::min(most, rows.size()) && bytes < kBytesAStatement; ++count) {
    for (size_t i = 0; i < types.size(); ++i) {
      wire_types_.push_back(types[i]->oid);
      const absl::Status encoded = EncodeParameter(static_cast<int>(i) + 1, rows[count][i],
                                                   *types[i], &arena_, &parameters_.emplace_back());
      if (!encoded.ok()) return 0;
      bytes += parameters_.back().size;
    }
  }
  FillWireValues();
  return count;
}

bool StatementSender::SendSeveral(const std::string& sql) {
  return link_->SendParsed(sql, wire_types_, wire_values_);
}

}  // namespace penstock::postgres
