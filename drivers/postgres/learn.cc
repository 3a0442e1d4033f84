// Gives statements their types and columns, and asks the catalogue for the types that are not
// known.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "drivers/api/error.h"
#include "drivers/postgres/catalogue.h"
#include "drivers/postgres/preparer.h"
#include "text/utf8.h"

namespace penstock::postgres {

using driver::Reason;

absl::Status Preparer::TakeDescription(const Result& described, Statement* statement,
                                       const CommandWatch& watch) {
  std::vector<uint32_t> wanted;
  for (int i = 0; i < described.parameters(); ++i) wanted.push_back(described.parameter_type(i));
  for (int i = 0; i < described.columns(); ++i) wanted.push_back(described.column_type(i));
  std::vector<std::string> names;
  for (int i = 0; i < described.columns(); ++i) {
    // A server whose encoding is SQL_ASCII sends what it was given.
    names.push_back(ToUtf8(described.column_name(i)));
  }
  return Learn(wanted, names, statement, watch);
}

absl::Status Preparer::Learn(const std::vector<uint32_t>& wanted,
                             const std::vector<std::string>& names, Statement* statement,
                             const CommandWatch& watch) {
  absl::StatusOr<std::vector<TypePtr>> types = LearnTypes(wanted, watch);
  if (!types.ok()) return types.status();
  statement->types = *std::move(types);
  statement->parameters.clear();
  statement->column_types.clear();
  statement->provisional = false;
  auto columns = std::make_shared<std::vector<driver::Column>>();
  const size_t parameters = wanted.size() - names.size();
  for (size_t i = 0; i < wanted.size(); ++i) {
    const Type* type = statement->types[i].get();
    statement->provisional = statement->provisional || type->provisional;
    if (i < parameters) {
      statement->parameters.push_back(type);
      continue;
    }
    statement->column_types.push_back(type);
    columns->push_back(
        {.name = names[i - parameters], .kind = type->kind, .native_type = type->name});
  }
  statement->columns = std::move(columns);
  return absl::OkStatus();
}

absl::StatusOr<Statement*> Preparer::Refreshed(Statement* statement, const CommandWatch& watch) {
  if (!statement->provisional) return statement;
  std::vector<uint32_t> wanted;
  for (const TypePtr& type : statement->types) wanted.push_back(type->oid);
  std::vector<std::string> names;
  for (const driver::Column& column : *statement->columns) names.push_back(column.name);
  absl::Status learnt = Learn(wanted, names, statement, watch);
  if (!learnt.ok()) return learnt;
  return statement;
}

absl::StatusOr<std::vector<TypePtr>> Preparer::LearnTypes(const std::vector<uint32_t>& wanted,
                                                          const CommandWatch& watch) {
  CatalogueAnswer answer;
  const std::vector<uint32_t> missing = types_->Missing(wanted);
  if (!missing.empty()) {
    absl::Status asked = AskCatalogue(missing, &answer, watch);
    if (!asked.ok()) return asked;
  }
  std::vector<TypePtr> types;
  for (const uint32_t number : wanted) types.push_back(answer.Resolve(number, types_));
  return types;
}

absl::Status Preparer::AskCatalogue(const std::vector<uint32_t>& missing, CatalogueAnswer* answer,
                                    const CommandWatch& watch) {
  PendingCommand command(&watch);
  if (!link_->SendText(CatalogueQuery(missing)) || !link_->SendSync()) return link_->BrokenError();
  link_->RowByRow();
  bool good = true;
  absl::Status asked = runner_->FinishSegment(&command, [&](const Result& result) {
    if (result.kind() != Result::Kind::kRow) return true;
    std::vector<std::string> row;
    for (int i = 0; i < result.columns(); ++i) row.emplace_back(result.value(i));
    // Whatever else it sends is not worth waiting for.
    good = answer->Add(row);
    return good;
  });
  if (good) return asked;
  return driver::MakeError(Reason::kIo, "cannot read the server's catalogue of types");
}

}  // namespace penstock::postgres
