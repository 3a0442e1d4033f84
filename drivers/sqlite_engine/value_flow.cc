#include "drivers/sqlite_engine/value_flow.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace penstock::sqlite_engine {
namespace {

// A register of a program, or a field of records: what holds values.
using Node = size_t;

// Sets of the registers and cursors of programs that records are in. Those that hand whole
// records on to each other are in one set.
class RecordSets {
 public:
  enum class Holder : char { kRegister, kCursor };

  size_t Of(size_t program, Holder holder, int number) {
    const auto [found, added] =
        numbers_.emplace(std::tuple(program, holder, number), parents_.size());
    if (added) parents_.push_back(parents_.size());
    return Root(found->second);
  }
  void Join(size_t a, size_t b) { parents_[Root(a)] = Root(b); }
  size_t Root(size_t set) {
    while (parents_[set] != set) set = parents_[set] = parents_[parents_[set]];
    return set;
  }

 private:
  std::map<std::tuple<size_t, Holder, int>, size_t> numbers_;
  std::vector<size_t> parents_;
};

class Flow {
 public:
  explicit Flow(const std::vector<Program>& programs) : programs_(programs) {}

  std::vector<Conversion> Run() {
    ForEach(&Flow::FindTable);
    ForEach(&Flow::JoinRecords);
    ForEach(&Flow::FindStored);
    ForEach(&Flow::FindConversion);
    ForEach(&Flow::Connect);
    return Collect();
  }

 private:
  using Holder = RecordSets::Holder;

  void ForEach(void (Flow::*visit)(const Instruction& i)) {
    for (program_ = 0; program_ < programs_.size(); ++program_) {
      for (const Instruction& i : programs_[program_]) (this->*visit)(i);
    }
  }

  Node NodeOf(std::tuple<bool, size_t, int> what) {
    const auto [found, added] = nodes_.emplace(what, sources_.size());
    if (added) sources_.emplace_back();
    return found->second;
  }
  Node Register(size_t program, int number) { return NodeOf({false, program, number}); }
  Node Register(int number) { return Register(program_, number); }
  Node Field(size_t records, int number) { return NodeOf({true, records_.Root(records), number}); }
  size_t InRegister(int number) { return records_.Of(program_, Holder::kRegister, number); }
  size_t InCursor(int number) { return records_.Of(program_, Holder::kCursor, number); }
  // The cursor writes to a table or an index, not to something of the statement's own.
  bool Stores(int cursor) const { return written_.count({program_, cursor}) != 0; }

  void FindTable(const Instruction& i) {
    if (i.operation == Operation::kOpenWrite) written_[{program_, i.p1}] = i.p3;
    if (i.operation == Operation::kProgram) calls_.emplace_back(program_, i.p1);
  }

  void JoinRecords(const Instruction& i) {
    switch (i.operation) {
      case Operation::kInsert:
      case Operation::kIdxInsert:
      case Operation::kSorterInsert:
        if (!Stores(i.p1)) records_.Join(InCursor(i.p1), InRegister(i.p2));
        return;
      case Operation::kRowData:
      case Operation::kSorterData:
      case Operation::kOpenPseudo: records_.Join(InCursor(i.p1), InRegister(i.p2)); return;
      case Operation::kOpenDup: records_.Join(InCursor(i.p1), InCursor(i.p2)); return;
      default: return;
    }
  }

  void FindStored(const Instruction& i) {
    switch (i.operation) {
      case Operation::kInsert:
        if (!Stores(i.p1)) return;
        FindName(i);
        stored_.push_back(Register(i.p3));  // the row's id
        stored_records_.insert(InRegister(i.p2));
        return;
      // An UPDATE begins with it, and names its table nowhere else if that has no rowids.
      case Operation::kDelete: return FindName(i);
      case Operation::kIdxInsert:
        if (Stores(i.p1)) stored_records_.insert(InRegister(i.p2));
        return;
      case Operation::kVUpdate:
        for (int k = 0; k < i.p2; ++k) stored_.push_back(Register(i.p3 + k));
        return;
      default: return;
    }
  }

  void FindName(const Instruction& i) {
    const auto found = written_.find({program_, i.p1});
    if (found != written_.end() && !i.p4.empty()) tables_[program_].emplace(i.p4, found->second);
  }

  void FindConversion(const Instruction& i) {
    switch (i.operation) {
      case Operation::kAffinity: return ConvertAll(i);
      case Operation::kMakeRecord:
        ConvertAll(i);
        for (int k = 0; k < i.p2 && IsStored(InRegister(i.p3)); ++k) {
          settled_.insert(Register(i.p1 + k));
        }
        return;
      case Operation::kTypeCheck:
        for (int k = 0; k < i.p2; ++k) Convert(i.p1 + k, kOfStrictTable, k);
        return;
      case Operation::kMustBeInt: return Convert(i.p1, 'D', kRowId);
      case Operation::kRealAffinity: return Convert(i.p1, 'E', kNoColumn);
      default: return;
    }
  }

  // SQLite leaves out what has no affinity at the end of a row.
  void ConvertAll(const Instruction& i) {
    const int count = std::min(i.p2, static_cast<int>(i.p4.size()));
    for (int k = 0; k < count; ++k) Convert(i.p1 + k, i.p4[static_cast<size_t>(k)], k);
  }

  void Convert(int number, char affinity, int column) {
    Conversion conversion{.affinity = affinity, .column = column};
    const auto& tables = tables_[program_];
    if (tables.size() == 1) {
      std::tie(conversion.table, conversion.database) = *tables.begin();
    }
    conversions_.emplace(std::tuple(Register(number), affinity, column), std::move(conversion));
    converted_.insert(Register(number));
    settled_.insert(Register(number));
  }

  bool IsStored(size_t records) {
    return std::any_of(stored_records_.begin(), stored_records_.end(),
                       [&](size_t set) { return records_.Root(set) == records_.Root(records); });
  }

  void Connect(const Instruction& i) {
    const bool reads_column = i.operation == Operation::kColumn;
    if (IsCast(i, reads_column ? i.p3 : i.p2)) return;
    switch (i.operation) {
      case Operation::kVariable: variables_[Register(i.p2)].push_back(i.p1); return;
      case Operation::kSCopy:
      case Operation::kIntCopy: return Copy(i, 1);
      case Operation::kCopy: return Copy(i, i.p3 + 1);
      case Operation::kMove: return Copy(i, i.p3);
      case Operation::kColumn:
        // A value that is read from a table was converted when it was stored.
        if (!Stores(i.p1)) AddSource(Register(i.p3), Field(InCursor(i.p1), i.p2));
        return;
      case Operation::kMakeRecord: return ConnectRecord(i);
      case Operation::kParam: return ConnectCallers(i);
      default: return;
    }
  }

  // The next instruction makes an expression of what this one writes.
  bool IsCast(const Instruction& i, int target) const {
    const Instruction* next = &i + 1;
    return &i != &programs_[program_].back() && next->operation == Operation::kCast &&
           next->p1 == target;
  }

  void AddSource(Node to, Node from) { sources_[to].push_back(from); }

  void Copy(const Instruction& i, int count) {
    for (int k = 0; k < count; ++k) AddSource(Register(i.p2 + k), Register(i.p1 + k));
  }

  void ConnectRecord(const Instruction& i) {
    const size_t records = InRegister(i.p3);
    const bool stored = IsStored(records);
    for (int k = 0; k < i.p2; ++k) {
      AddSource(Field(records, k), Register(i.p1 + k));
      if (stored) stored_.push_back(Field(records, k));
    }
  }

  // A trigger reads the row of any of those that call it. If its caller stores the row too,
  // what the trigger makes of it is the schema's own affair.
  void ConnectCallers(const Instruction& param) {
    for (const auto& [caller, first] : calls_) {
      const Node row = Register(caller, first + param.p1);
      if (settled_.count(row) == 0) AddSource(Register(param.p2), row);
    }
  }

  // All that the nodes have their values from, or with `until_converted` what has not been
  // converted on its way to them.
  std::set<Node> Upstream(std::vector<Node> nodes, bool until_converted) const {
    std::set<Node> seen;
    while (!nodes.empty()) {
      const Node node = nodes.back();
      nodes.pop_back();
      if ((until_converted && converted_.count(node) != 0) || !seen.insert(node).second) continue;
      nodes.insert(nodes.end(), sources_[node].begin(), sources_[node].end());
    }
    return seen;
  }

  std::vector<int> ParametersIn(const std::set<Node>& nodes) const {
    std::set<int> parameters;
    for (const Node node : nodes) {
      const auto found = variables_.find(node);
      if (found != variables_.end()) parameters.insert(found->second.begin(), found->second.end());
    }
    return {parameters.begin(), parameters.end()};
  }

  std::vector<Conversion> Collect() {
    const std::set<Node> stored = Upstream(stored_, false);
    std::vector<Conversion> found;
    for (auto& [key, conversion] : conversions_) {
      const Node node = std::get<0>(key);
      if (stored.count(node) == 0) continue;
      conversion.parameters = ParametersIn(Upstream({node}, false));
      if (!conversion.parameters.empty()) found.push_back(std::move(conversion));
    }
    found.push_back({.affinity = 'A', .column = kNoColumn});
    found.back().parameters = ParametersIn(Upstream(stored_, true));
    return found;
  }

  const std::vector<Program>& programs_;
  // The one whose instructions are visited.
  size_t program_ = 0;
  // The cursors that store, by program, with their databases.
  std::map<std::pair<size_t, int>, int> written_;
  // The places where triggers are called, with the first register of the rows they get.
  std::vector<std::pair<size_t, int>> calls_;
  RecordSets records_;
  std::map<std::tuple<bool, size_t, int>, Node> nodes_;
  // Maps a node to the nodes that its values come from.
  std::vector<std::vector<Node>> sources_;
  std::map<Node, std::vector<int>> variables_;
  std::map<size_t, std::set<std::pair<std::string, int>>> tables_;
  std::vector<Node> stored_;
  std::set<size_t> stored_records_;
  std::map<std::tuple<Node, char, int>, Conversion> conversions_;
  std::set<Node> converted_;
  // Those, and what is stored without a conversion.
  std::set<Node> settled_;
};

}  // namespace

std::vector<Conversion> FindConversions(const std::vector<Program>& programs) {
  return Flow(programs).Run();
}

}  // namespace penstock::sqlite_engine
