#include "drivers/api/value.h"

namespace penstock::driver {

std::string_view KindName(Kind kind) {
  switch (kind) {
    case Kind::kUnspecified: return "null";
    case Kind::kBoolean: return "boolean";
    case Kind::kInteger: return "integer";
    case Kind::kReal: return "real";
    case Kind::kText: return "text";
    case Kind::kBlob: return "blob";
    case Kind::kDecimal: return "decimal";
    case Kind::kTimestamp: return "timestamp";
    case Kind::kDate: return "date";
    case Kind::kTime: return "time";
    case Kind::kInterval: return "interval";
    case Kind::kUuid: return "uuid";
    case Kind::kJson: return "json";
    case Kind::kArray: return "array";
  }
  return "unknown";
}

}  // namespace penstock::driver
