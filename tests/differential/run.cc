#include "tests/differential/run.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"
#include "tests/differential/compare.h"
#include "tests/differential/expectation.h"
#include "tests/differential/text.h"
#include "text/utf8.h"

namespace penstock::differential {
namespace {

// Statements in one of Mode::kTransaction's transactions.
constexpr size_t kBatchSize = 40;

// Of a statement in one of them.
constexpr char kSavepointName[] = "penstock_compare";
constexpr char kSavepoint[] = "SAVEPOINT penstock_compare";
constexpr char kRollbackTo[] = "ROLLBACK TO SAVEPOINT penstock_compare";
constexpr char kRelease[] = "RELEASE SAVEPOINT penstock_compare";

class Runner {
 public:
  Runner(const Script& script, const Backend& backend, const KnownDifferences& known,
         Session& session, Oracle& oracle, Mode mode, const std::string& folder, Report* report)
      : script_(script),
        backend_(backend),
        known_(known),
        session_(session),
        oracle_(oracle),
        mode_(mode),
        folder_(folder),
        report_(report) {}

  void Run(size_t most) {
    size_t count = 0;
    for (const Record& record : script_.records) {
      if (count++ == most) break;
      RunRecord(record);
    }
    if (script_.records.size() > most) LeaveOut("beyond the limit", script_.records.size() - most);
    for (const auto& [why, number] : script_.left_out) LeaveOut(why, number);
    ++report_->scripts;
    Finish();
  }

 private:
  // Who has opened the transaction that is open on both sides.
  enum class Open : uint8_t { kNothing, kBatch, kScript };

  void LeaveOut(const std::string& why, size_t count = 1) { report_->left_out[why] += count; }

  void RunRecord(const Record& record) {
    if (SkipBlank(record.sql).empty()) return;
    if (!IsUtf8(record.sql) || record.sql.find('\0') != std::string::npos) {
      LeaveOut("not UTF-8, or with a NUL character");
    } else if (backend_.HasParameters(record.sql)) {
      LeaveOut("with parameters of their own");
    } else {
      const Control control = backend_.Read(record.sql);
      if (control.kind != Control::Kind::kNone && oracle_.Prepares(record.sql)) {
        RunControl(record, control);
      } else {
        RunStatement(record);
      }
    }
  }

  void RunStatement(const Record& record) {
    PrepareForStatement(record.sql);
    Parameterised statement = {record.sql, {}};
    if (mode_ == Mode::kParameters) {
      statement = backend_.Parameterise(record.sql);
      if (statement.args.empty() || !oracle_.Prepares(statement.sql)) statement = {record.sql, {}};
    }
    MakeSavepoint();
    // Where the oracle would change what the gateway refuses to, the gateway is asked first.
    std::optional<Answer> theirs;
    if (known_.MayBeRefused(record.sql)) {
      theirs = session_.Run(statement.sql, statement.args, true);
      const Known* refusal =
          theirs->failure.has_value() && theirs->failure->code.empty()
              ? known_.FindRefusal(record.sql, theirs->failure->reason, open_ != Open::kNothing)
              : nullptr;
      if (refusal != nullptr) {
        ++report_->compared[mode_];
        ++report_->known[refusal->name];
        return EndSavepoint(false);
      }
    }
    const Answer own = oracle_.Run(statement.sql, statement.args);
    if (own.too_slow) return GiveUp();
    if (!theirs.has_value()) {
      theirs = session_.Run(statement.sql, statement.args, WantsRows(record, own));
    }
    if (statement.args.empty()) HearFile(record, own);
    Judge(record, statement.sql, own, *theirs);
    if (known_.MakesUnlike(record.sql)) unlike_ = unlike_by_nature_ = tainted_ = true;
    EndSavepoint(own.failure.has_value() || theirs->failure.has_value());
    FollowRollback(record);
  }

  // Without one a failure would be the end of one of Mode::kTransaction's transactions.
  void MakeSavepoint() {
    has_savepoint_ = open_ == Open::kBatch && backend_.failure_aborts();
    if (!has_savepoint_) return;
    JudgeControl("SAVEPOINT", oracle_.Run(kSavepoint, {}), session_.Savepoint(kSavepointName));
  }

  void EndSavepoint(bool failed) {
    if (!std::exchange(has_savepoint_, false) || open_ != Open::kBatch) return;
    if (failed && session_.in_transaction()) {
      JudgeControl("ROLLBACK TO", oracle_.Run(kRollbackTo, {}),
                   session_.RollbackTo(kSavepointName));
    }
    if (!session_.in_transaction()) return;
    JudgeControl("RELEASE", oracle_.Run(kRelease, {}), session_.Release(kSavepointName));
  }

  // The oracle was interrupted, which may have rolled its transaction back.
  void GiveUp() {
    LeaveOut("too slow for the oracle, or the end of its session");
    unlike_ = true;
    if (open_ == Open::kNothing) return;
    session_.Rollback();
    Ended();
  }

  // A statement that cannot be prepared is sent as the file has it.
  static bool WantsRows(const Record& record, const Answer& own) {
    return !own.columns.empty() ||
           (own.failure.has_value() && record.expected.outcome == Expectation::Outcome::kRows);
  }

  // Opens or ends a transaction of Mode::kTransaction.
  void PrepareForStatement(const std::string& sql) {
    const bool outside = backend_.RunsOutside(sql) || AsksTheConnection(sql);
    if (open_ == Open::kBatch && (outside || unlike_ || in_batch_ == kBatchSize)) EndBatch();
    if (open_ == Open::kNothing) MakeAlike();
    if (open_ == Open::kNothing && mode_ == Mode::kTransaction && !outside) {
      JudgeControl("BEGIN", oracle_.Run("BEGIN", {}), session_.Begin({}));
      open_ = Open::kBatch;
      in_batch_ = 0;
    }
    ++in_batch_;
  }

  void MakeAlike() {
    tainted_ = false;
    if (unlike_) unlike_ = !oracle_.TakeOver(folder_);
  }

  // What it asks is the script's in a transaction of the script's only (last_insert_rowid()).
  bool AsksTheConnection(const std::string& sql) const {
    return std::any_of(known_.entries().begin(), known_.entries().end(), [&](const Known& entry) {
      return entry.outside_transaction && entry.sql.Matches(sql);
    });
  }

  void EndBatch() {
    JudgeControl("COMMIT", oracle_.Run("COMMIT", {}), session_.Commit());
    Ended();
  }

  // No transaction is open any more.
  void Ended() {
    // A commit that fails ends the gateway's transaction, but not SQLite's.
    if (oracle_.in_transaction()) oracle_.Run("ROLLBACK", {});
    open_ = Open::kNothing;
    tainted_ = false;
    savepoints_.clear();
  }

  void RunControl(const Record& record, const Control& control) {
    using Kind = Control::Kind;
    if (open_ == Open::kBatch) EndBatch();
    if (open_ == Open::kNothing) MakeAlike();
    const bool begins = control.kind == Kind::kBegin;
    const bool begins_by_savepoint =
        control.kind == Kind::kSavepoint && open_ == Open::kNothing && backend_.savepoint_begins();
    if (begins == (open_ != Open::kNothing) && !begins_by_savepoint) {
      return LeaveOut("transaction control that is out of place");
    }
    const bool outermost = control.kind == Kind::kRelease && by_savepoint_ &&
                           !savepoints_.empty() && Innermost(control.name) == 0;
    const Answer own = oracle_.Run(record.sql, {});
    Answer theirs;
    switch (control.kind) {
      case Kind::kBegin: theirs = session_.Begin(control); break;
      case Kind::kCommit: theirs = session_.Commit(); break;
      case Kind::kRollback: theirs = session_.Rollback(); break;
      case Kind::kSavepoint:
        if (begins_by_savepoint) session_.Begin({});
        theirs = session_.Savepoint(control.name);
        break;
      case Kind::kRollbackTo: theirs = session_.RollbackTo(control.name); break;
      case Kind::kRelease:
        theirs = outermost ? session_.Commit() : session_.Release(control.name);
        break;
      case Kind::kNone: break;
    }
    HearFile(record, own);
    Judge(record, record.sql, own, theirs);
    if (control.kind == Kind::kCommit || control.kind == Kind::kRollback || outermost) {
      return Ended();
    }
    if (begins || begins_by_savepoint) by_savepoint_ = begins_by_savepoint;
    open_ = Open::kScript;
    if (!own.failure.has_value()) NoteSavepoint(control);
    FollowRollback(record);
  }

  // Where the innermost savepoint of this name is in savepoints_; its size: nowhere.
  size_t Innermost(const std::string& name) const {
    const auto found = std::find(savepoints_.rbegin(), savepoints_.rend(), Upper(name));
    return found == savepoints_.rend() ? savepoints_.size()
                                       : static_cast<size_t>(savepoints_.rend() - found) - 1;
  }

  void NoteSavepoint(const Control& control) {
    const size_t at = Innermost(control.name);
    if (control.kind == Control::Kind::kSavepoint) savepoints_.push_back(Upper(control.name));
    if (at == savepoints_.size()) return;
    if (control.kind == Control::Kind::kRelease) savepoints_.resize(at);
    if (control.kind == Control::Kind::kRollbackTo) savepoints_.resize(at + 1);
  }

  // A statement may have rolled the whole transaction back, or may have left it good for
  // nothing else; both sides must say so.
  void FollowRollback(const Record& record) {
    if (open_ == Open::kNothing) return;
    if (open_ == Open::kBatch && oracle_.transaction_aborted()) {
      JudgeControl("ROLLBACK", oracle_.Run("ROLLBACK", {}), session_.Rollback());
      return Ended();
    }
    if (oracle_.in_transaction() && session_.in_transaction()) return;
    if (!oracle_.in_transaction() && session_.in_transaction()) {
      const Answer next = session_.Run("SELECT 1", {}, true);
      if (!next.failure.has_value() || next.failure->reason != v1::REASON_TRANSACTION_ABORTED) {
        Note(record.line, record.sql, "oracle has rolled the transaction back, gateway has not");
      }
      session_.Rollback();
    }
    unlike_ = unlike_ || oracle_.in_transaction();
    Ended();
  }

  void HearFile(const Record& record, const Answer& own) {
    const std::optional<bool> agrees = Agrees(record.expected, own);
    if (!agrees.has_value()) return;
    ++(*agrees ? report_->agreed : report_->disagreed);
    if (!*agrees && report_->first_disagreements.size() < Report::kShownDisagreements) {
      report_->first_disagreements.push_back(fmt::format("{}:{}", script_.path, record.line));
    }
  }

  void JudgeControl(const std::string& sql, const Answer& own, const Answer& theirs) {
    const std::string what = Compare(oracle_, own, theirs);
    if (!what.empty()) Note(last_line_, sql, what);
  }

  void Judge(const Record& record, const std::string& sql, const Answer& own,
             const Answer& theirs) {
    last_line_ = record.line;
    ++report_->compared[mode_];
    if (own.failure.has_value()) ++report_->failures;
    if (!own.columns.empty()) ++report_->results;
    report_->values += own.rows.size() * own.columns.size();
    std::string what = Compare(oracle_, own, theirs);
    if (what.empty()) return;
    const bool ordered = Upper(sql).find("ORDER BY") != std::string::npos;
    if (what == kOtherOrder && !ordered) what += ", which the statement does not say";
    Note(record.line, sql, what);
  }

  // A difference, which may be a known one.
  void Note(int line, const std::string& sql, const std::string& what) {
    const bool inherited = tainted_ && open_ != Open::kNothing;
    unlike_ = true;
    if (inherited) return LeaveOut("different after a known difference in the same transaction");
    const Known* known = known_.Find(sql, what, open_ != Open::kNothing, mode_);
    if (known != nullptr) {
      ++report_->known[known->name];
      tainted_ = true;
    } else {
      report_->differences.push_back({script_.path, line, mode_, sql, what});
    }
  }

  void Finish() {
    if (open_ == Open::kBatch) EndBatch();
    if (open_ == Open::kScript) {
      JudgeControl("ROLLBACK", oracle_.Run("ROLLBACK", {}), session_.Rollback());
      Ended();
    }
    // After a difference there would be more.
    if (unlike_ || unlike_by_nature_) return;
    for (const std::string& what : oracle_.CompareStored(folder_)) {
      Note(last_line_, "(what is stored in the end)", what);
    }
  }

  const Script& script_;
  const Backend& backend_;
  const KnownDifferences& known_;
  Session& session_;
  Oracle& oracle_;
  const Mode mode_;
  const std::string& folder_;
  Report* const report_;

  Open open_ = Open::kNothing;
  size_t in_batch_ = 0;
  // In the batch, around the statement that is being run.
  bool has_savepoint_ = false;
  // Of the script's transaction, in upper case.
  std::vector<std::string> savepoints_;
  bool by_savepoint_ = false;
  // The two databases may not hold the same.
  bool unlike_ = false;
  // A statement has made them so as the list has it (random()).
  bool unlike_by_nature_ = false;
  // They are so since a known difference in the transaction that is open.
  bool tainted_ = false;
  int last_line_ = 0;
};

}  // namespace

void RunScript(const Script& script, const Backend& backend, const KnownDifferences& known,
               Session& session, Oracle& oracle, Mode mode, const std::string& folder, size_t most,
               Report* report) {
  Runner(script, backend, known, session, oracle, mode, folder, report).Run(most);
}

}  // namespace penstock::differential
