// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>

#include "base/error.h"
#include "base/text.h"
#include "catalog/place.h"
#include "flow/declaration_queries_internal.h"
#include "flow/run_parts_internal.h"
#include "session/rewrite.h"
#include "syntax/format.h"
#include "syntax/token.h"

namespace braid::flow {

namespace {

using catalog::ObjectKind;
using syntax::QuoteIdentifier;
using syntax::TableDeclaration;

// The declaration of the table that a node writes: its own, or a flow's target's.
const TableDeclaration* DeclarationOf(const catalog::Object& object) {
  if (const auto* table = std::get_if<syntax::CreateStreamingTable>(object.statement.get()))
    return table;
  if (const auto* view = std::get_if<syntax::CreateMaterializedView>(object.statement.get()))
    return view;
  return nullptr;
}

class Execution {
 public:
  Execution(const Node& node, const NodeWorkers& workers, bool full_refresh, RunContext& run)
      : node_(node), workers_(workers), full_refresh_(full_refresh), run_(run) {
    result_.node = node.name;
    result_.kind = catalog::KindName(node.object.kind);
  }

  NodeResult Run() {
    const auto begin = std::chrono::steady_clock::now();
    if (full_refresh_) Forget();
    if (const std::string model = AbsentModel(); !model.empty()) {
      Skip(fmt::format("it waits for model {}, which has no version yet", model));
      return std::move(result_);
    }
    const Need need = FindNeed(node_, run_, {});
    switch (node_.object.kind) {
      case ObjectKind::kStreamingTable:
      case ObjectKind::kFlow:
        Append(need);
        break;
      case ObjectKind::kMaterializedView:
        Replace(need);
        break;
      case ObjectKind::kModel:
        TrainModel(need);
        break;
      case ObjectKind::kService:
        Work(need, workers_.declare_service);
        break;
    }
    result_.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return std::move(result_);
  }

 private:
  // A model that the node asks and that is declared, but could not be trained so far.
  std::string AbsentModel() const {
    const catalog::State& state = run_.change.state;
    for (const syntax::ModelReference& model : node_.inputs.models) {
      const std::string key = catalog::ObjectKey(model.name, ObjectKind::kModel);
      const auto versions = state.versions.find(key);
      const bool has_version = versions != state.versions.end() && !versions->second.empty();
      if (!has_version && state.Find(ObjectKind::kModel, key) != nullptr) return key;
    }
    return "";
  }

  void Skip(const std::string& reason) {
    result_.action = "skipped";
    result_.reason = reason;
  }

  void Remember(const Need& need, const StreamSources* sources) {
    NodeState& state = run_.memory.nodes[node_.name];
    state.definition_hash = DefinitionHash(node_.object.definition);
    state.inputs = need.inputs;
    state.run_id = run_.change.run_id;
    if (sources == nullptr) return;
    sources->Advance(state);
    AddStreamFiles(run_.connection, node_.name, run_.change.run_id, sources->files());
    for (const auto& [path, file] : sources->files()) run_.memory.files[node_.name][path] = file;
  }

  // Full refresh: as if the node had never run.
  void Forget() {
    run_.memory.nodes.erase(node_.name);
    run_.memory.files.erase(node_.name);
    ForgetStreamFiles(run_.connection, {node_.name});
    const bool table = node_.object.kind == ObjectKind::kStreamingTable ||
                       node_.object.kind == ObjectKind::kMaterializedView;
    if (!table || !run_.Exists(node_.target)) return;
    // Later snapshots start from a new table; older ones keep showing the old one.
    run_.connection.Execute("DROP TABLE " + LakeName(node_.target));
    run_.connection.Execute("DROP TABLE IF EXISTS " + LakeName(node_.target, "__quarantine"));
    run_.tables.erase(node_.target);
    run_.written.erase(node_.target);
    run_.replaced.insert(node_.target);
  }

  std::string Rewritten(const std::function<std::string(const syntax::StreamReference&)>& stream) {
    const syntax::SourceText& query = *QueryOf(*node_.object.statement);
    try {
      session::RewriteContext context{
          run_.change.state, run_.workspace.models, stream, {}, &run_.connection};
      return session::RewriteQuery(query.text, context).text();
    } catch (const Error& error) {
      throw catalog::PlaceInFile(error, node_.object, query);
    }
  }

  template <typename F>
  auto Placed(F work) {
    try {
      return work();
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kExpectationFailed || error.code() == ErrorCode::kInterrupted)
        throw;
      const syntax::SourceText* query = QueryOf(*node_.object.statement);
      const Error plain(error.code(), error.message(), error.hint());
      if (error.where() && !error.where()->file.empty()) throw;
      throw catalog::PlaceInFile(plain, node_.object, query == nullptr ? size_t{0} : query->offset);
    }
  }

  const TableDeclaration& Declaration() {
    if (const TableDeclaration* own = DeclarationOf(node_.object)) return *own;
    const catalog::Object* target = run_.change.state.FindTable(node_.target);
    if (target == nullptr || target->kind != ObjectKind::kStreamingTable)
      throw Error(ErrorCode::kTableNotFound,
                  "A flow's target is no streaming table: " + node_.target,
                  "declare it: CREATE STREAMING TABLE " + node_.target);
    return *DeclarationOf(*target);
  }

  // A streaming table or flow: what is new since the last time.
  void Append(const Need& need) {
    const TableDeclaration& declaration = Declaration();
    if (QueryOf(*node_.object.statement) == nullptr) return DeclareOnly(need, declaration);
    StreamSources sources(node_, run_);
    if (!sources.available()) {
      if (!declaration.columns.empty() && !run_.Exists(node_.target)) Shape(declaration, {});
      return Skip(sources.reason());
    }
    const bool first = !run_.memory.nodes.contains(node_.name) || !run_.Exists(node_.target);
    if (!sources.has_new() && run_.Exists(node_.target)) return Skip("no new rows");
    Placed([&] {
      const std::string query =
          Rewritten([&](const syntax::StreamReference& stream) { return sources.Resolve(stream); });
      Write(declaration, query, false);
      return 0;
    });
    result_.action = "appended";
    result_.reason = first ? "first run" : sources.reason();
    Remember(need, &sources);
  }

  // A streaming table that only flows fill.
  void DeclareOnly(const Need& need, const TableDeclaration& declaration) {
    if (!need.runs) return Skip("its declaration is unchanged; flows fill it");
    if (!declaration.columns.empty()) Shape(declaration, {});
    result_.action = "declared";
    result_.reason = need.reason;
    Remember(need, nullptr);
  }

  void Replace(const Need& need) {
    if (!need.runs) return Skip("unchanged");
    Placed([&] {
      Write(Declaration(), Rewritten({}), true);
      return 0;
    });
    run_.replaced.insert(node_.target);
    result_.action = "updated";
    result_.reason = need.reason;
    Remember(need, nullptr);
  }

  // A model's own rule may want to know that nothing has changed but the time.
  void TrainModel(const Need& need) {
    const auto& rule = std::get<syntax::CreateModel>(*node_.object.statement).retrain_when;
    session::Occasion& occasion = run_.change.occasion;
    occasion = session::Occasion::kAsked;
    if (need.is_change) occasion = session::Occasion::kChanged;
    if (!need.runs && rule && syntax::HasName(rule->text, "age"))
      occasion = session::Occasion::kTime;
    if (occasion != session::Occasion::kTime) return Work(need, workers_.train);
    Need looked = need;
    looked.runs = true;
    Work(looked, workers_.train);
    if (result_.action == "kept") Skip(result_.reason);
  }

  void Work(const Need& need, const session::ObjectWork& work) {
    if (!need.runs) return Skip("unchanged");
    session::ChangeOutcome outcome = work(node_.object, run_.change);
    if (outcome.action == "waiting") return Skip(outcome.reason);
    result_.action = outcome.action;
    result_.reason = need.reason;
    if (!outcome.reason.empty())
      result_.reason += (need.reason.empty() ? "" : "; ") + outcome.reason;
    result_.rows = outcome.rows;
    Remember(need, nullptr);
  }

  std::vector<lake::Column> ColumnsOf(const std::string& query) {
    const engine::StatementInfo info = run_.connection.DescribeStatement(query);
    std::vector<lake::Column> columns;
    for (size_t i = 0; i < info.column_names.size(); ++i)
      columns.push_back({info.column_names[i], info.column_types[i]});
    return columns;
  }

  void Write(const TableDeclaration& declaration, const std::string& query, bool replaces) {
    std::string rows = query;
    if (!declaration.expectations.empty()) {
      RuledRows ruled = ApplyRules(node_, declaration, query, replaces, run_);
      rows = ruled.kept;
      result_.expectations = std::move(ruled.results);
    }
    const bool kept_for_others = !replaces && run_.streamed.contains(node_.target);
    std::string delta;
    if (kept_for_others) {
      delta = run_.NewTemporary();
      run_.connection.Execute(fmt::format("CREATE TEMP TABLE {} AS {}", delta, rows));
      rows = "SELECT * FROM " + delta;
    }
    Shape(declaration, ColumnsOf(rows), replaces);
    result_.rows = run_.connection.Execute(
        fmt::format("INSERT INTO {} BY NAME {}", LakeName(node_.target), rows));
    if (*result_.rows > 0 || replaces) run_.written.insert(node_.target);
    if (kept_for_others && *result_.rows > 0) KeepDelta(delta);
  }

  // What later nodes of this run read of the table; several flows may add to it.
  void KeepDelta(const std::string& delta) {
    std::string list;
    for (const lake::Column& column :
         lake::TableColumns(run_.connection, SchemaOf(node_.target), NameOf(node_.target)))
      list += (list.empty() ? "" : ", ") +
              fmt::format("{} {}", QuoteIdentifier(column.name), column.type);
    std::string& kept = run_.deltas[node_.target];
    if (kept.empty()) {
      kept = run_.NewTemporary();
      run_.connection.Execute(fmt::format("CREATE TEMP TABLE {} ({})", kept, list));
    }
    run_.connection.Execute(fmt::format("INSERT INTO {} BY NAME SELECT * FROM {}", kept, delta));
  }

  // Makes the table, or fits it to the rows' columns.
  void Shape(const TableDeclaration& declaration, const std::vector<lake::Column>& given,
             bool replaces = false) {
    const std::vector<lake::Column> wanted = Wanted(declaration, given);
    for (const lake::Column& column : wanted) lake::CheckStorable(column.name, column.type);
    const std::string table = LakeName(node_.target);
    const std::vector<lake::Column> now =
        lake::TableColumns(run_.connection, SchemaOf(node_.target), NameOf(node_.target));
    if (now.empty()) return Create(declaration, wanted);
    if (replaces) {
      if (SameColumns(now, wanted)) {
        run_.connection.Execute("TRUNCATE " + table);
      } else {
        run_.connection.Execute("DROP TABLE " + table);
        Create(declaration, wanted);
      }
      return;
    }
    for (const lake::Column& column : wanted) {
      const bool known = std::any_of(now.begin(), now.end(), [&](const lake::Column& one) {
        return EqualsIgnoringCase(one.name, column.name);
      });
      if (!known)
        run_.connection.Execute(fmt::format("ALTER TABLE {} ADD COLUMN {} {}", table,
                                            QuoteIdentifier(column.name), column.type));
    }
  }

  static bool SameColumns(const std::vector<lake::Column>& a, const std::vector<lake::Column>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const lake::Column& x, const lake::Column& y) {
                        return x.name == y.name && x.type == y.type;
                      });
  }

  // The declared columns with their types, then what else the query gives.
  std::vector<lake::Column> Wanted(const TableDeclaration& declaration,
                                   const std::vector<lake::Column>& given) const {
    std::vector<lake::Column> wanted;
    const auto find = [](const auto& columns, const std::string& name) {
      return std::find_if(columns.begin(), columns.end(), [&](const auto& column) {
        return EqualsIgnoringCase(column.name, name);
      });
    };
    for (const syntax::ColumnDefinition& column : declaration.columns) {
      const auto queried = find(given, column.name);
      std::string type = column.type;
      if (type.empty() && queried != given.end()) type = queried->type;
      if (type.empty())
        throw Error(ErrorCode::kBinder,
                    "A declared column has no type, and the query does not give it: " + column.name,
                    "name its type, or select it");
      wanted.push_back(
          {column.name,
           run_.connection.DescribeStatement(fmt::format("SELECT CAST(NULL AS {})", type))
               .column_types[0]});
    }
    for (const lake::Column& column : given)
      if (find(wanted, column.name) == wanted.end()) wanted.push_back(column);
    return wanted;
  }

  void Create(const TableDeclaration& declaration, const std::vector<lake::Column>& columns) {
    std::string list;
    for (const lake::Column& column : columns) {
      const bool not_null =
          std::any_of(declaration.columns.begin(), declaration.columns.end(),
                      [&](const auto& one) { return one.not_null && one.name == column.name; });
      list += fmt::format("{}{} {}{}", list.empty() ? "" : ", ", QuoteIdentifier(column.name),
                          column.type, not_null ? " NOT NULL" : "");
    }
    run_.connection.Execute("CREATE SCHEMA IF NOT EXISTS lake." +
                            QuoteIdentifier(SchemaOf(node_.target)));
    run_.connection.Execute(fmt::format("CREATE TABLE {} ({})", LakeName(node_.target), list));
    if (!declaration.comment.empty())
      run_.connection.Execute(fmt::format("COMMENT ON TABLE {} IS {}", LakeName(node_.target),
                                          syntax::QuoteString(declaration.comment)));
    run_.written.insert(node_.target);
  }

  const Node& node_;
  const NodeWorkers& workers_;
  bool full_refresh_;
  RunContext& run_;
  NodeResult result_;
};

}  // namespace

NodeResult ExecuteNode(const Node& node, const NodeWorkers& workers, bool full_refresh,
                       RunContext& run) {
  return Execution(node, workers, full_refresh, run).Run();
}

}  // namespace braid::flow
