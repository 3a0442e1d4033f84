#include "tests/differential/compare.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "tests/differential/text.h"

namespace penstock::differential {
namespace {

constexpr size_t kShown = 200;

std::string Describe(const Answer& answer) {
  if (!answer.failure.has_value()) {
    return answer.columns.empty() ? "succeeds" : fmt::format("gives {} rows", answer.rows.size());
  }
  const Failure& failure = *answer.failure;
  std::string reason;
  if (failure.reason != v1::REASON_UNSPECIFIED) reason = v1::Reason_Name(failure.reason) + " ";
  return fmt::format("fails ({}{}: {})", reason, failure.code, Printable(failure.message, kShown));
}

std::string CompareFailures(const Answer& own, const Answer& gateway) {
  const bool both = own.failure.has_value() && gateway.failure.has_value();
  if (both) {
    const Failure& a = *own.failure;
    const Failure& b = *gateway.failure;
    // The gateway may say more: which row, which parameter.
    const bool same_text = !a.tells_text || b.message.find(a.message) != std::string::npos;
    const bool same_reason = a.reason == v1::REASON_UNSPECIFIED || a.reason == b.reason;
    if (a.code == b.code && same_text && same_reason) {
      return own.keeps_changes ? "oracle keeps what the failed statement did" : "";
    }
  } else if (!own.failure.has_value() && !gateway.failure.has_value()) {
    return {};
  }
  return fmt::format("oracle {}, gateway {}", Describe(own), Describe(gateway));
}

std::string CompareColumns(const Answer& own, const Answer& gateway) {
  if (own.columns.size() != gateway.columns.size()) {
    return fmt::format("oracle has {} columns, gateway {}", own.columns.size(),
                       gateway.columns.size());
  }
  for (size_t i = 0; i < own.columns.size(); ++i) {
    const v1::Column& a = own.columns[i];
    const v1::Column& b = gateway.columns[i];
    const bool same_type = !own.tells_types || a.native_type() == b.native_type();
    if (a.name() == b.name() && same_type) continue;
    return fmt::format("column {}: oracle has '{}' of type '{}', gateway '{}' of type '{}'", i + 1,
                       Printable(a.name(), kShown), a.native_type(), Printable(b.name(), kShown),
                       b.native_type());
  }
  return {};
}

bool SameRow(Oracle& oracle, const v1::Row& own, const v1::Row& gateways, const Answer& gateway) {
  for (int i = 0; i < own.values_size(); ++i) {
    const v1::Kind declared = gateway.columns[static_cast<size_t>(i)].kind();
    if (!oracle.Same(own.values(i), gateways.values(i), declared)) return false;
  }
  return true;
}

// The rows of both sides are the same but for their order.
bool SameRowsSorted(Oracle& oracle, const Answer& own, const Answer& gateway) {
  // Each is looked for among all others.
  constexpr size_t kMost = 5000;
  if (own.rows.size() > kMost) return false;
  std::vector<const v1::Row*> rest;
  for (const v1::Row& row : gateway.rows) rest.push_back(&row);
  return std::all_of(own.rows.begin(), own.rows.end(), [&](const v1::Row& row) {
    const auto found = std::find_if(rest.begin(), rest.end(), [&](const v1::Row* other) {
      return SameRow(oracle, row, *other, gateway);
    });
    if (found == rest.end()) return false;
    rest.erase(found);
    return true;
  });
}

std::string CompareRows(Oracle& oracle, const Answer& own, const Answer& gateway) {
  if (own.rows.size() != gateway.rows.size()) {
    return fmt::format("oracle gives {} rows, gateway {}", own.rows.size(), gateway.rows.size());
  }
  const int columns = static_cast<int>(gateway.columns.size());
  for (size_t row = 0; row < own.rows.size(); ++row) {
    if (gateway.rows[row].values_size() != columns) {
      return fmt::format("row {}: gateway has {} values for {} columns", row + 1,
                         gateway.rows[row].values_size(), columns);
    }
    for (int i = 0; i < columns; ++i) {
      const v1::Value& a = own.rows[row].values(i);
      const v1::Value& b = gateway.rows[row].values(i);
      const v1::Column& column = gateway.columns[static_cast<size_t>(i)];
      if (oracle.Same(a, b, column.kind())) continue;
      if (SameRowsSorted(oracle, own, gateway)) return kOtherOrder;
      return fmt::format("row {}, column '{}': oracle has {}, gateway {}", row + 1, column.name(),
                         Printable(testing::ToText(a), kShown),
                         Printable(testing::ToText(b), kShown));
    }
  }
  return {};
}

std::string IdText(const std::optional<int64_t>& id) {
  return id.has_value() ? fmt::format("{}", *id) : "none";
}

}  // namespace

std::string Compare(Oracle& oracle, const Answer& own, const Answer& gateway) {
  std::string difference = CompareFailures(own, gateway);
  if (!difference.empty() || own.failure.has_value()) return difference;
  // A side that was asked for no rows tells no columns.
  if (!gateway.columns.empty() || !gateway.rows.empty()) {
    difference = CompareColumns(own, gateway);
    if (difference.empty()) difference = CompareRows(oracle, own, gateway);
    if (!difference.empty()) return difference;
  } else if (!own.columns.empty()) {
    return fmt::format("oracle has {} columns, gateway none", own.columns.size());
  }
  if (own.tells_rows_affected && own.rows_affected != gateway.rows_affected) {
    return fmt::format("rows_affected: oracle has {}, gateway {}", own.rows_affected,
                       gateway.rows_affected);
  }
  if (own.tells_last_insert_id && own.last_insert_id != gateway.last_insert_id) {
    return fmt::format("last_insert_id: oracle has {}, gateway {}", IdText(own.last_insert_id),
                       IdText(gateway.last_insert_id));
  }
  return {};
}

}  // namespace penstock::differential
