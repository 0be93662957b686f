// SPDX-License-Identifier: Apache-2.0
#include "flow/runner.h"

#include <fmt/format.h>

#include <chrono>

#include "base/error.h"
#include "catalog/place.h"
#include "engine/appender.h"
#include "engine/interrupt.h"
#include "flow/lineage.h"
#include "flow/run_parts_internal.h"
#include "lake/write_transaction.h"
#include "syntax/format.h"

namespace braid::flow {

namespace {

using catalog::Object;
using catalog::ObjectKind;

std::set<std::string> KeysOf(const std::map<lake::TableKey, lake::TableState>& tables) {
  std::set<std::string> keys;
  for (const auto& [key, table] : tables) keys.insert(key);
  return keys;
}

std::set<std::string> TrainedModels(const catalog::State& state) {
  std::set<std::string> models;
  for (const auto& [model, versions] : state.versions) models.insert(model);
  return models;
}

// One problem is thrown as it is; several are listed in one error at the place of the first.
void ThrowProblems(const std::vector<Error>& problems) {
  if (problems.empty()) return;
  if (problems.size() == 1) throw problems.front();
  std::string list;
  for (const Error& problem : problems) {
    const auto& where = problem.where();
    list += fmt::format(
        "\n  {}{}", where ? fmt::format("{}:{}:{}: ", where->file, where->line, where->column) : "",
        problem.message());
  }
  throw Error(ErrorCode::kProjectInvalid,
              fmt::format("The project has {} problems:{}", problems.size(), list),
              "braid check shows each with its line");
}

Error NodeError(const Error& error, const std::string& node) {
  Error named(error.code(), fmt::format("{}: {}", node, error.message()), error.hint());
  return error.where() ? named.At(*error.where()) : named;
}

std::string Summary(const Error& error) {
  return fmt::format("{}: {}", Describe(error.code()).text, error.message());
}

}  // namespace

struct Runner::State {
  session::Workspace workspace;
  NodeWorkers workers;
  std::filesystem::path root;
  QueryReader reader;

  std::unique_ptr<engine::Connection> Connect() {
    auto connection = workspace.lake.Connect(lake::Scope::kRun);
    connection->Execute("SET file_search_path = " + syntax::QuoteString(root.string()));
    return connection;
  }
};

namespace {

// One run inside its transaction.
class Run {
 public:
  Run(session::Workspace workspace, const NodeWorkers& workers, const std::filesystem::path& root,
      QueryReader& reader, engine::Connection& connection, int64_t base, const RunOptions& options,
      RunObserver& observer, std::stop_token stop)
      : workers_(workers),
        reader_(reader),
        options_(options),
        observer_(observer),
        state_(*workspace.catalog.Get()),
        change_{.connection = connection,
                .state = state_,
                .run_id = options.run_id,
                .base_snapshot = base,
                .now = FormatUtc(workspace.lake.clock().NowMicros()),
                .stop = std::move(stop),
                .progress =
                    [this](double fraction, std::string_view detail) {
                      observer_.NodeProgress(fraction, detail);
                    },
                .notice = [this](std::string_view text) { observer_.Notice(text); }},
        context_{
            .workspace = workspace, .connection = connection, .change = change_, .root = root} {
    context_.memory = LoadRunMemory(connection);
    context_.tables = lake::LoadTableStates(connection);
  }

  catalog::State& state() { return state_; }
  RunContext& context() { return context_; }
  const std::vector<NodeResult>& results() const { return results_; }
  bool changed() const { return changed_; }
  const std::string& started() const { return change_.now; }

  // Brings the catalogue in line with the project's files.
  void Declare(const std::vector<Object>& objects) {
    std::set<std::pair<ObjectKind, std::string>> declared;
    std::vector<const Object*> written;
    for (const Object& object : objects) {
      declared.emplace(object.kind, object.key);
      const Object* known = state_.Find(object.kind, object.key);
      if (known == nullptr || known->definition != object.definition ||
          known->owner != object.owner || known->file != object.file)
        written.push_back(&object);
      state_.Put(object);
    }
    catalog::PutObjects(change_.connection, written);
    changed_ = changed_ || !written.empty();
    for (size_t kind = 0; kind < 5; ++kind) {
      std::vector<std::string> gone;
      for (const auto& [key, object] : state_.objects[kind])
        if (object.owner == "project" && !declared.contains({object.kind, key}))
          gone.push_back(key);
      for (const std::string& key : gone) Undeclare(static_cast<ObjectKind>(kind), key);
    }
  }

  void Put(const Object& object) {
    catalog::PutObject(change_.connection, object);
    state_.Put(object);
    changed_ = true;
  }

  void Execute(const Graph& graph, const std::set<size_t>& selected, bool full_refresh) {
    for (const Node& node : graph.nodes)
      for (const TableRead& read : node.inputs.tables)
        if (read.streamed) context_.streamed.insert(read.key);
    std::vector<std::string> names;
    for (const size_t index : selected) names.push_back(graph.nodes[index].name);
    observer_.RunStarted(names);
    size_t done = 0;
    for (const size_t index : selected) {
      observer_.NodeStarted(graph.nodes[index].name, done, selected.size());
      ExecuteOne(graph, selected, index, full_refresh);
      ++done;
    }
  }

  void WriteRows(const std::vector<Node>& nodes) {
    SaveNodeStates(change_.connection, context_.memory.nodes);
    WriteLineage(nodes);
    engine::Appender rows(change_.connection, "lake", "braid", "run_node");
    for (const NodeResult& result : results_) {
      rows.Text(options_.run_id)
          .Text(result.node)
          .Text(result.kind)
          .Text(result.action)
          .Text(result.reason);
      result.rows ? rows.Int(*result.rows) : rows.Null();
      rows.Double(result.seconds).Null();
      rows.EndRow();
    }
    rows.Close();
    engine::Appender rules(change_.connection, "lake", "braid", "expectation_result");
    for (const NodeResult& result : results_)
      for (const ExpectationResult& rule : result.expectations) {
        rules.Text(options_.run_id)
            .Text(rule.node)
            .Text(rule.name)
            .Text(rule.action)
            .Int(rule.passed)
            .Int(rule.failed);
        rules.EndRow();
      }
    rules.Close();
    const engine::Value run[] = {options_.run_id, change_.now,
                                 FormatUtc(context_.workspace.lake.clock().NowMicros()),
                                 change_.base_snapshot + 1, options_.command};
    change_.connection.Execute(
        "INSERT INTO lake.braid.run SELECT $1, CAST($2 AS TIMESTAMPTZ), CAST($3 AS TIMESTAMPTZ), "
        "'succeeded', $4, $5",
        run);
  }

 private:
  void Undeclare(ObjectKind kind, const std::string& key) {
    catalog::RemoveObject(change_.connection, kind, key);
    state_.Remove(kind, key);
    changed_ = true;
    observer_.Notice(fmt::format("no file declares {} {} any more; what it holds stays",
                                 catalog::KindName(kind), key));
  }

  void ExecuteOne(const Graph& graph, const std::set<size_t>& selected, size_t index,
                  bool full_refresh) {
    const Node& node = graph.nodes[index];
    const auto begin = std::chrono::steady_clock::now();
    try {
      if (change_.stop.stop_requested()) throw Error(ErrorCode::kInterrupted, "Interrupted");
      NodeResult result = ExecuteNode(node, workers_, full_refresh, context_);
      if (result.action != "skipped") {
        changed_ = true;
        touched_.push_back(index);
      }
      observer_.NodeFinished(result);
      results_.push_back(std::move(result));
    } catch (const Error& error) {
      NodeResult failed{.node = node.name,
                        .kind = std::string(catalog::KindName(node.object.kind)),
                        .action = "failed"};
      failed.seconds =
          std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      failed.error = Summary(error);
      observer_.NodeFinished(failed);
      for (auto later = selected.upper_bound(index); later != selected.end(); ++later)
        observer_.NodeFinished(
            {.node = graph.nodes[*later].name,
             .kind = std::string(catalog::KindName(graph.nodes[*later].object.kind)),
             .action = "not reached"});
      throw NodeError(error, node.name);
    }
  }

  void WriteLineage(const std::vector<Node>& nodes) {
    std::string names;
    std::vector<LineageEdge> edges;
    const ColumnLookup columns = [this](const lake::TableKey& key) {
      std::vector<std::string> list;
      if (context_.Exists(key))
        for (const lake::Column& column :
             lake::TableColumns(change_.connection, SchemaOf(key), NameOf(key)))
          list.push_back(column.name);
      return list;
    };
    for (const size_t index : touched_) {
      for (LineageEdge& edge : LineageOf(nodes[index], reader_, columns))
        edges.push_back(std::move(edge));
      names += (names.empty() ? "" : ", ") + syntax::QuoteString(nodes[index].target.empty()
                                                                     ? nodes[index].name
                                                                     : nodes[index].target);
    }
    if (names.empty()) return;
    change_.connection.Execute(
        fmt::format("DELETE FROM lake.braid.lineage WHERE to_node IN ({})", names));
    engine::Appender rows(change_.connection, "lake", "braid", "lineage");
    for (const LineageEdge& edge : edges) {
      rows.Text(edge.from_node);
      edge.from_column ? rows.Text(*edge.from_column) : rows.Null();
      rows.Text(edge.to_node);
      edge.to_column ? rows.Text(*edge.to_column) : rows.Null();
      rows.Text(edge.kind);
      rows.EndRow();
    }
    rows.Close();
  }

  const NodeWorkers& workers_;
  QueryReader& reader_;
  const RunOptions& options_;
  RunObserver& observer_;
  catalog::State state_;
  session::Change change_;
  RunContext context_;
  std::vector<NodeResult> results_;
  std::vector<size_t> touched_;
  bool changed_ = false;
};

// A run from BEGIN to COMMIT or ROLLBACK around what `work` does in it.
template <typename Work>
RunSummary InTransaction(session::Workspace workspace, const NodeWorkers& workers,
                         const std::filesystem::path& root, QueryReader& reader,
                         engine::Connection& connection, const RunOptions& options,
                         RunObserver& observer, std::stop_token stop, Work work) {
  const auto begin = std::chrono::steady_clock::now();
  lake::WriteTransaction transaction(workspace.lake, connection, "run " + options.run_id);
  Run run(workspace, workers, root, reader, connection, transaction.base_snapshot(), options,
          observer, stop);
  // Neither COMMIT nor ROLLBACK may be interrupted.
  std::optional<engine::InterruptOnStop> interrupt(std::in_place, connection, stop);
  const std::vector<Node> nodes = work(run);
  RunSummary summary{
      .run_id = options.run_id, .status = "succeeded", .snapshot_id = {}, .nodes = run.results()};
  if (run.changed()) {
    run.WriteRows(nodes);
    interrupt.reset();
    summary.snapshot_id = transaction.Commit("braid", options.command,
                                             fmt::format("{{\"run_id\": \"{}\"}}", options.run_id));
    workspace.catalog.Publish(std::move(run.state()));
  } else {
    interrupt.reset();
    transaction.Rollback();
  }
  summary.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return summary;
}

}  // namespace

Runner::Runner(session::Workspace workspace, NodeWorkers workers, std::filesystem::path root)
    : state_(new State{workspace, std::move(workers), std::move(root), {}}) {}
Runner::~Runner() = default;

Plan Runner::MakePlan(const Declarations& declarations, const RunOptions& options) {
  ThrowProblems(declarations.problems);
  const auto connection = state_->Connect();
  catalog::State state = *state_->workspace.catalog.Get();
  for (const Object& object : declarations.objects) state.Put(object);
  session::Change change{.connection = *connection, .state = state};
  RunContext run{.workspace = state_->workspace,
                 .connection = *connection,
                 .change = change,
                 .root = state_->root};
  run.memory = LoadRunMemory(*connection);
  run.tables = lake::LoadTableStates(*connection);
  const Graph graph =
      BuildGraph(declarations.objects, KeysOf(run.tables), TrainedModels(state), state_->reader);
  ThrowProblems(graph.problems);
  Plan plan{.nodes = {}, .warnings = graph.warnings};
  std::set<lake::TableKey> will_change;
  for (const size_t index : Select(graph, options.select)) {
    const Node& node = graph.nodes[index];
    PlannedNode planned{.node = node.name,
                        .kind = std::string(catalog::KindName(node.object.kind)),
                        .action = "skip",
                        .reason = "unchanged"};
    for (const size_t above : node.upstream) planned.upstream.push_back(graph.nodes[above].name);
    Need need = FindNeed(node, run, will_change);
    if (options.full_refresh) need = {.runs = true, .reason = "full refresh", .inputs = {}};
    planned.is_unwatched = need.is_unwatched;
    bool runs = need.runs;
    std::string reason = need.reason;
    if (IsAppend(node) && !options.full_refresh && !need.reason.starts_with("first")) {
      runs = false;
      planned.is_unwatched = false;
      for (const TableRead& read : node.inputs.tables)
        if (read.streamed && will_change.contains(read.key)) {
          runs = true;
          reason = "new rows in " + read.key;
        }
      if (!runs && !need.reason.starts_with("its table")) {
        const StreamSources sources(node, run);
        runs = sources.has_new();
        reason = runs ? sources.reason() : "no new rows";
      }
    }
    if (runs) {
      static const std::map<ObjectKind, std::string> verbs = {
          {ObjectKind::kStreamingTable, "append"},
          {ObjectKind::kFlow, "append"},
          {ObjectKind::kMaterializedView, "update"},
          {ObjectKind::kModel, "train"},
          {ObjectKind::kService, "declare"}};
      planned.action = verbs.at(node.object.kind);
      planned.reason = reason;
      will_change.insert(node.target.empty() ? "model " + node.object.key : node.target);
    } else if (!reason.empty()) {
      planned.reason = reason;
    }
    plan.nodes.push_back(std::move(planned));
  }
  return plan;
}

RunSummary Runner::Run(const Declarations& declarations, const RunOptions& options,
                       RunObserver& observer, std::stop_token stop) {
  ThrowProblems(declarations.problems);
  const auto connection = state_->Connect();
  return InTransaction(state_->workspace, state_->workers, state_->root, state_->reader,
                       *connection, options, observer, stop, [&](flow::Run& run) {
                         Graph graph =
                             BuildGraph(declarations.objects, KeysOf(run.context().tables),
                                        TrainedModels(run.state()), state_->reader);
                         ThrowProblems(graph.problems);
                         const std::set<size_t> selected = Select(graph, options.select);
                         run.Declare(declarations.objects);
                         run.Execute(graph, selected, options.full_refresh);
                         return std::move(graph.nodes);
                       });
}

RunSummary Runner::RunOne(const Object& object, const RunOptions& options, RunObserver& observer,
                          std::stop_token stop) {
  const auto connection = state_->Connect();
  return InTransaction(
      state_->workspace, state_->workers, state_->root, state_->reader, *connection, options,
      observer, stop, [&](flow::Run& run) -> std::vector<Node> {
        const Object* known = run.state().Find(object.kind, object.key);
        if (known != nullptr && known->owner == "project")
          throw Error(ErrorCode::kOwnedByProject,
                      fmt::format("The project declares this {}: {}",
                                  catalog::KindName(object.kind), object.key),
                      fmt::format("change {} and braid run", known->file));
        const bool exists =
            known != nullptr ||
            (object.kind != ObjectKind::kFlow && object.kind != ObjectKind::kModel &&
             object.kind != ObjectKind::kService && run.context().Exists(object.key));
        const auto [replaces, may_exist] = std::visit(
            [](const auto& statement) -> std::pair<bool, bool> {
              if constexpr (requires { statement.or_refresh; })
                return {statement.or_refresh, statement.if_not_exists};
              if constexpr (requires { statement.or_replace; })
                return {statement.or_replace, statement.if_not_exists};
              return {false, false};
            },
            *object.statement);
        if (exists && may_exist) {
          observer.Notice(fmt::format("{} {} exists", catalog::KindName(object.kind), object.key));
          return {};
        }
        if (exists && !replaces)
          throw Error(ErrorCode::kAlreadyExists,
                      fmt::format("There is a {} of that name: {}", catalog::KindName(object.kind),
                                  object.key),
                      object.kind == ObjectKind::kModel || object.kind == ObjectKind::kService
                          ? "CREATE OR REPLACE gives it a new version"
                          : "CREATE OR REFRESH goes on with it, DROP removes it");
        Graph graph = BuildGraph({object}, KeysOf(run.context().tables), TrainedModels(run.state()),
                                 state_->reader);
        ThrowProblems(graph.problems);
        if (exists && !IsAppend(graph.nodes.at(0)))
          run.context().memory.nodes.erase(graph.nodes[0].name);
        run.Put(object);
        run.Execute(graph, {0}, false);
        return std::move(graph.nodes);
      });
}

}  // namespace braid::flow
