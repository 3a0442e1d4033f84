#include "drivers/sqlite_engine/program.h"

#include <sqlite3.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace penstock::sqlite_engine {
namespace {

// The instructions that hand no value on: they jump, count, compare, reckon, open and close,
// or make constants. One that is in neither list makes a program unknown.
constexpr std::string_view kOthers =
    "Abortable Add AddImm AggFinal AggInverse AggStep AggStep1 AggValue And AutoCommit BeginSubrtn "
    "BitAnd BitNot BitOr Blob Checkpoint Clear Close ClrSubtype CollSeq ColumnsUsed Compare Concat "
    "Count CreateBtree CursorHint CursorLock CursorUnlock DecrJumpZero DeferredSeek Destroy "
    "Divide DropIndex DropTable DropTrigger ElseEq EndCoroutine Eq Expire Explain Filter FilterAdd "
    "FinishSeek FkCheck FkCounter FkIfZero Found Function Ge Gosub Goto Gt Halt HaltIfNull "
    "IdxDelete "
    "IdxGE IdxGT IdxLE IdxLT IdxRowid If IfNoHope IfNot IfNotOpen IfNotZero IfNullRow IfPos "
    "IfSmaller "
    "IncrVacuum Init InitCoroutine Int64 Integer IntegrityCk IsNull IsTrue IsType JournalMode Jump "
    "Last Le LoadAnalysis Lt MaxPgcnt MemMax Multiply Ne NewRowid Next NoConflict Noop Not "
    "NotExists "
    "NotFound NotNull Null NullRow Offset OffsetLimit Once OpenAutoindex OpenEphemeral OpenRead Or "
    "Pagecount ParseSchema Permutation Prev PureFunc ReadCookie Real ReleaseReg Remainder "
    "ReopenIdx "
    "ResetCount ResetSorter ResultRow Return Rewind RowCell RowSetAdd RowSetRead RowSetTest Rowid "
    "Savepoint SeekEnd SeekGE SeekGT SeekHit SeekLE SeekLT SeekRowid SeekScan Sequence "
    "SequenceTest "
    "SetCookie ShiftLeft ShiftRight SoftNull Sort SorterCompare SorterNext SorterOpen SorterSort "
    "SqlExec String String8 Subtract TableLock Trace VBegin VColumn VCreate VDestroy VFilter "
    "VInitIn "
    "VNext VOpen VRename Vacuum Yield ZeroOrNull";

using Operations = std::unordered_map<std::string_view, Operation>;

Operations MakeOperations() {
  Operations operations = {
      {"Affinity", Operation::kAffinity},
      {"Cast", Operation::kCast},
      {"Column", Operation::kColumn},
      {"Copy", Operation::kCopy},
      {"Delete", Operation::kDelete},
      {"IdxInsert", Operation::kIdxInsert},
      {"Insert", Operation::kInsert},
      {"IntCopy", Operation::kIntCopy},
      {"MakeRecord", Operation::kMakeRecord},
      {"Move", Operation::kMove},
      {"MustBeInt", Operation::kMustBeInt},
      {"OpenDup", Operation::kOpenDup},
      {"OpenPseudo", Operation::kOpenPseudo},
      {"OpenWrite", Operation::kOpenWrite},
      {"Param", Operation::kParam},
      {"Program", Operation::kProgram},
      {"RealAffinity", Operation::kRealAffinity},
      {"RowData", Operation::kRowData},
      {"SCopy", Operation::kSCopy},
      {"SorterData", Operation::kSorterData},
      {"SorterInsert", Operation::kSorterInsert},
      {"Transaction", Operation::kTransaction},
      {"TypeCheck", Operation::kTypeCheck},
      {"VUpdate", Operation::kVUpdate},
      {"Variable", Operation::kVariable},
  };
  for (std::string_view rest = kOthers; !rest.empty();) {
    const size_t end = std::min(rest.find(' '), rest.size());
    operations.emplace(rest.substr(0, end), Operation::kOther);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return operations;
}

Operation OperationOf(std::string_view name) {
  static const Operations operations = MakeOperations();
  const auto found = operations.find(name);
  return found == operations.end() ? Operation::kUnknown : found->second;
}

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

std::string_view TextOf(sqlite3_stmt* row, int column) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
  return text == nullptr ? std::string_view()
                         : std::string_view(text, sqlite3_column_bytes(row, column));
}

}  // namespace

std::optional<std::vector<Program>> ReadPrograms(sqlite3_stmt* statement) {
  std::string_view text = sqlite3_sql(statement);
  // SQLite skips empty statements, but not behind EXPLAIN.
  text.remove_prefix(std::min(text.find_first_not_of("; \t\n\v\f\r"), text.size()));
  const std::string sql = "EXPLAIN " + std::string(text);
  sqlite3_stmt* prepared = nullptr;
  sqlite3_prepare_v2(sqlite3_db_handle(statement), sql.data(), static_cast<int>(sql.size()),
                     &prepared, nullptr);
  const std::unique_ptr<sqlite3_stmt, Finalize> explain(prepared);
  std::vector<Program> programs;
  int code = sqlite3_step(prepared);
  for (; code == SQLITE_ROW; code = sqlite3_step(prepared)) {
    // Address, operation, four operands. Each program begins with address 0.
    if (sqlite3_column_int(prepared, 0) == 0) programs.emplace_back();
    programs.back().push_back({.operation = OperationOf(TextOf(prepared, 1)),
                               .p1 = sqlite3_column_int(prepared, 2),
                               .p2 = sqlite3_column_int(prepared, 3),
                               .p3 = sqlite3_column_int(prepared, 4),
                               .p4 = std::string(TextOf(prepared, 5))});
  }
  if (code != SQLITE_DONE || programs.empty()) return std::nullopt;
  return programs;
}

}  // namespace penstock::sqlite_engine
