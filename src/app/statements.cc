// SPDX-License-Identifier: Apache-2.0
#include "app/statements.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/alter_model.h"
#include "app/describe.h"
#include "app/rollback_model.h"
#include "base/error.h"
#include "catalog/retention.h"
#include "lake/write_transaction.h"
#include "syntax/format.h"
#include "train/training_run.h"

namespace braid::app {

namespace {

using catalog::ObjectKind;
using session::ResultSink;
using session::Session;
using syntax::QuoteIdentifier;
using syntax::QuoteString;

// Tells what one declaration became.
class StatementObserver final : public flow::RunObserver {
 public:
  explicit StatementObserver(ResultSink& sink) : sink_(sink) {}
  void RunStarted(const std::vector<std::string>&) override {}
  void NodeStarted(const std::string&, size_t, size_t) override {}
  void NodeProgress(double, std::string_view) override {}
  void NodeFinished(const flow::NodeResult& result) override {
    if (!result.error.empty()) return;
    // A flow's node is named "flow f" already.
    const std::string kind = result.node.starts_with(result.kind + " ") ? "" : result.kind + " ";
    std::string text = fmt::format("{}{}: {}", kind, result.node, result.action);
    if (result.rows) text += fmt::format(", {} rows", *result.rows);
    if (!result.reason.empty()) text += fmt::format(" ({})", result.reason);
    sink_.Notice(text);
    for (const flow::ExpectationResult& rule : result.expectations)
      if (rule.failed > 0)
        sink_.Notice(fmt::format("  {}: {} of {} rows break it ({})", rule.name, rule.failed,
                                 rule.passed + rule.failed, rule.action));
  }
  void Notice(std::string_view text) override { sink_.Notice(text); }

 private:
  ResultSink& sink_;
};

class Handler {
 public:
  explicit Handler(StatementServices services) : services_(std::move(services)) {}

  void Run(Session& session, const syntax::Statement& statement, const std::string& text,
           ResultSink& sink) {
    std::visit(
        [&](const auto& parsed) {
          using Parsed = std::decay_t<decltype(parsed)>;
          if constexpr (std::is_same_v<Parsed, syntax::ExportModel>) {
            Export(session, parsed, sink);
          } else if constexpr (std::is_same_v<Parsed, syntax::AlterModel>) {
            AlterModel(session, parsed, sink);
            services_.changed();
          } else if constexpr (std::is_same_v<Parsed, syntax::RollbackModel>) {
            RollbackModel(session, parsed, sink);
            services_.changed();
          } else if constexpr (std::is_same_v<Parsed, syntax::DropObject>) {
            Drop(session, parsed, sink);
          } else if constexpr (std::is_same_v<Parsed, syntax::Show>) {
            session.Show(ShowQuery(parsed.kind), sink);
          } else if constexpr (std::is_same_v<Parsed, syntax::Describe>) {
            session.Show(DescribeQuery(parsed, session), sink);
          } else if constexpr (!std::is_same_v<Parsed, syntax::EngineStatement>) {
            Create(session, parsed, statement, text, sink);
          }
        },
        statement);
  }

 private:
  template <typename Parsed>
  static ObjectKind KindOf() {
    if constexpr (std::is_same_v<Parsed, syntax::CreateStreamingTable>)
      return ObjectKind::kStreamingTable;
    if constexpr (std::is_same_v<Parsed, syntax::CreateMaterializedView>)
      return ObjectKind::kMaterializedView;
    if constexpr (std::is_same_v<Parsed, syntax::CreateFlow>) return ObjectKind::kFlow;
    if constexpr (std::is_same_v<Parsed, syntax::CreateModel>) return ObjectKind::kModel;
    return ObjectKind::kService;
  }

  template <typename Parsed>
  void Create(Session& session, const Parsed& parsed, const syntax::Statement& statement,
              const std::string& text, ResultSink& sink) {
    const ObjectKind kind = KindOf<Parsed>();
    session.RequireNoTransaction(fmt::format("CREATE {}", catalog::KindName(kind)));
    catalog::Object object;
    object.kind = kind;
    object.key = catalog::ObjectKey(parsed.name, kind);
    object.owner = "sql";
    object.line = 1;
    object.definition = text;
    object.statement = std::make_shared<const syntax::Statement>(statement);
    StatementObserver observer(sink);
    services_.run_one(object, text.substr(0, 200), observer, session.stop_token());
  }

  void Export(Session& session, const syntax::ExportModel& statement, ResultSink& sink) {
    const auto state = session.workspace().catalog.Get();
    const auto folder =
        train::ExportModel(statement, *state, session.workspace().models, services_.root);
    sink.Notice("exported to " + folder.string());
  }

  void Drop(Session& session, const syntax::DropObject& drop, ResultSink& sink) {
    const auto kind = static_cast<ObjectKind>(drop.kind);
    session.RequireNoTransaction(fmt::format("DROP {}", catalog::KindName(kind)));
    const std::string key = catalog::ObjectKey(drop.name, kind);
    if (drop.version) return DropVersion(session, drop, key, sink);
    // What is in the log reaches its tables while they still belong to something.
    if (kind == ObjectKind::kService) services_.move_captured();
    session::Workspace& workspace = session.workspace();
    const auto connection = workspace.lake.Connect(lake::Scope::kRun);
    lake::WriteTransaction transaction(workspace.lake, *connection, "braid sql",
                                       session.options().writer_wait);
    catalog::State state = *workspace.catalog.Get();
    const catalog::Object* object = state.Find(kind, key);
    if (object == nullptr) {
      if (drop.if_exists)
        return sink.Notice(fmt::format("{} {} does not exist", catalog::KindName(kind), key));
      ThrowMissing(state, kind, key, drop.name.offset);
    }
    if (object->owner == "project")
      throw Error(ErrorCode::kOwnedByProject,
                  fmt::format("The project declares this {}: {}", catalog::KindName(kind), key),
                  fmt::format("delete it from {} and braid run", object->file));
    Remove(*connection, kind, key, drop.name);
    catalog::RemoveObject(*connection, kind, key);
    state.Remove(kind, key);
    if (kind == ObjectKind::kModel) {
      state.versions.erase(key);
      state.aliases.erase(key);
    }
    transaction.Commit("braid sql", "DROP " + key, "{}");
    workspace.catalog.Publish(std::move(state));
    services_.changed();
    sink.Notice(fmt::format("{} {} dropped{}", catalog::KindName(kind), key,
                            kind == ObjectKind::kService
                                ? fmt::format("; what it captured stays in inference.{}", key)
                                : ""));
  }

  // Also of a model that the project declares: versions are no part of a declaration.
  void DropVersion(Session& session, const syntax::DropObject& drop, const std::string& key,
                   ResultSink& sink) {
    session::Workspace& workspace = session.workspace();
    const auto connection = workspace.lake.Connect(lake::Scope::kRun);
    lake::WriteTransaction transaction(workspace.lake, *connection, "braid sql",
                                       session.options().writer_wait);
    catalog::State state = *workspace.catalog.Get();
    const std::string what = fmt::format("{}@{}", key, *drop.version);
    try {
      state.Resolve({.name = drop.name, .alias = {}, .version = drop.version});
    } catch (const Error& error) {
      if (!drop.if_exists || error.code() != ErrorCode::kModelNotFound) throw;
      return sink.Notice(fmt::format("model {} does not exist", what));
    }
    // Its number would be given again.
    if (state.versions[key].back().version == *drop.version)
      throw Error(ErrorCode::kConstraint, "The newest version of a model is not dropped: " + what,
                  fmt::format("train the next one first; DROP MODEL {} drops all of it", key));
    const auto held = catalog::HeldVersions(*connection, state, key);
    if (const auto found = held.find(*drop.version); found != held.end())
      throw Error(ErrorCode::kConstraint,
                  fmt::format("The version is referred to by {}: {}", found->second, what),
                  "change what refers to it first");
    catalog::RemoveModelVersion(*connection, state, key, *drop.version);
    transaction.Commit("braid sql", "DROP MODEL " + what, "{}");
    workspace.catalog.Publish(std::move(state));
    services_.changed();
    sink.Notice(fmt::format("model {} dropped", what));
  }

  [[noreturn]] static void ThrowMissing(const catalog::State& state, ObjectKind kind,
                                        const std::string& key, size_t) {
    std::vector<std::string> known;
    for (const auto& entry : state.objects[static_cast<size_t>(kind)]) known.push_back(entry.first);
    const auto close = ClosestMatch(key, known);
    const ErrorCode code = kind == ObjectKind::kModel     ? ErrorCode::kModelNotFound
                           : kind == ObjectKind::kService ? ErrorCode::kServiceNotFound
                           : kind == ObjectKind::kFlow    ? ErrorCode::kNotFound
                                                          : ErrorCode::kTableNotFound;
    throw Error(code, fmt::format("There is no such {}: {}", catalog::KindName(kind), key),
                close ? fmt::format("did you mean {}?", *close) : "SHOW lists what there is");
  }

  static void Remove(engine::Connection& connection, ObjectKind kind, const std::string& key,
                     const syntax::Name& name) {
    if (kind == ObjectKind::kStreamingTable || kind == ObjectKind::kMaterializedView) {
      const std::string schema = QuoteIdentifier(name.schema.empty() ? "main" : name.schema);
      for (const std::string& table : {name.name, name.name + "__quarantine"})
        connection.Execute(
            fmt::format("DROP TABLE IF EXISTS lake.{}.{}", schema, QuoteIdentifier(table)));
    }
    if (kind == ObjectKind::kModel) {
      connection.Execute("DELETE FROM lake.braid.model_version WHERE model = " + QuoteString(key));
      connection.Execute("DELETE FROM lake.braid.model_trial WHERE model = " + QuoteString(key));
      connection.Execute("DELETE FROM lake.braid.alias_event WHERE model = " + QuoteString(key));
      connection.Execute("DELETE FROM lake.braid.model_note WHERE model = " + QuoteString(key));
      connection.Execute("DELETE FROM lake.braid.model_decision WHERE model = " + QuoteString(key));
    }
    for (const char* table : {"node_state", "stream_file"})
      connection.Execute(
          fmt::format("DELETE FROM lake.braid.{} WHERE node = {}", table, QuoteString(key)));
  }

  StatementServices services_;
};

}  // namespace

session::StatementHandler MakeStatementHandler(StatementServices services) {
  auto handler = std::make_shared<Handler>(std::move(services));
  return [handler](Session& session, const syntax::Statement& statement, const std::string& text,
                   ResultSink& sink) { handler->Run(session, statement, text, sink); };
}

}  // namespace braid::app
