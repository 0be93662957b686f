// SPDX-License-Identifier: Apache-2.0
#include "session/session.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "catalog/place.h"
#include "engine/interrupt.h"
#include "lake/tables.h"
#include "lake/write_transaction.h"
#include "session/rewrite.h"
#include "syntax/format.h"
#include "syntax/parse.h"
#include "syntax/query.h"
#include "syntax/script.h"
#include "syntax/token.h"

namespace braid::session {

namespace {

// The same error without its place.
Error Unplaced(const Error& error) { return {error.code(), error.message(), error.hint()}; }

// DuckDB names our alias for the rows of a model call; the user knows the model's input.
Error ExplainModelInput(const Error& error) {
  static constexpr std::string_view kMissing = "\"__braid_row\" does not have a column named \"";
  const size_t at = error.message().find(kMissing);
  if (error.code() != ErrorCode::kBinder || at == std::string::npos) return error;
  const std::string_view rest = std::string_view(error.message()).substr(at + kMissing.size());
  Error explained(
      ErrorCode::kModelInput,
      fmt::format("The rows lack an input of the model: {}", rest.substr(0, rest.find('"'))),
      "give it as a column; DESCRIBE MODEL shows the query that the model was trained on");
  return error.where() ? explained.At(*error.where()) : explained;
}

bool HasExtensions(const syntax::QueryExtensions& found) {
  return !found.calls.empty() || !found.rows_calls.empty() || !found.functions.empty() ||
         !found.streams.empty() || !found.services.empty() || !found.requests.empty() ||
         !found.time_travels.empty();
}

}  // namespace

// BEGIN … COMMIT: the writer's pass from the start (except READ ONLY), and what it may still read
// of the log.
struct Session::OpenTransaction {
  lake::ReadRegistry::Guard reads;
  std::unique_ptr<lake::WriteTransaction> write;  // null: read only
};

Session::Session(Workspace workspace, StatementHandler handler, SessionOptions options)
    : workspace_(workspace),
      handler_(std::move(handler)),
      options_(std::move(options)),
      connection_(workspace.lake.Connect(lake::Scope::kSession)) {
  if (!options_.file_search_path.empty())
    connection_->Execute("SET file_search_path = " +
                         syntax::QuoteString(options_.file_search_path));
}

Session::~Session() = default;

void Session::Interrupt() {
  MutexLock lock(stop_mutex_);
  stop_.request_stop();
}

std::stop_token Session::stop_token() const {
  MutexLock lock(stop_mutex_);
  return stop_.get_token();
}

void Session::RequireNoTransaction(std::string_view what) const {
  if (!in_transaction()) return;
  throw Error(ErrorCode::kInvalidTransaction,
              fmt::format("A statement that commits on its own stands in a transaction: {}", what),
              "COMMIT or ROLLBACK first");
}

void Session::ExecuteScript(std::string_view script, const std::string& file, ResultSink& sink) {
  {
    MutexLock lock(stop_mutex_);
    stop_ = std::stop_source();
  }
  for (const syntax::StatementText& statement : syntax::SplitStatements(script, file)) {
    if (stop_token().stop_requested()) throw Error(ErrorCode::kInterrupted, "Interrupted");
    try {
      ExecuteStatement(statement.text, sink);
    } catch (const Error& error) {
      // A place without a file is one in the statement's own text.
      if (!error.where() || !error.where()->file.empty()) throw;
      const size_t offset = statement.offset + catalog::OffsetOf(statement.text, *error.where());
      throw Unplaced(error).At(SpotAt(script, offset, file));
    }
  }
}

void Session::ExecuteStatement(const std::string& text, ResultSink& sink) {
  const syntax::Statement statement = syntax::Parse(text, "");
  if (std::holds_alternative<syntax::EngineStatement>(statement)) {
    ExecuteEngine(text, sink);
  } else {
    handler_(*this, statement, text, sink);
  }
}

void Session::ExecuteEngine(const std::string& text, ResultSink& sink) {
  const EngineStatementText words = ReadEngineStatement(text);
  // It would not see, and delete, the files of the transaction.
  if (!words.maintenance.empty()) RequireNoTransaction(words.maintenance);
  const auto state = workspace_.catalog.Get();
  CheckTarget(words, *state);
  syntax::MappedText mapped;
  if (HasExtensions(FindExtensions(text, *state))) {
    RewriteContext context{*state, workspace_.models, {}, {}, connection_.get()};
    mapped = RewriteQuery(text, context);
  } else {
    mapped.AppendOriginal(text, 0);
  }
  const std::string& sql = mapped.text();
  try {
    // The guard comes before the first look at the lake, so that nothing leaves the log under a
    // reader.
    const lake::ReadRegistry::Guard reads(workspace_.reads);
    const engine::StatementKind kind = connection_->DescribeStatement(sql).kind;
    if (kind == engine::StatementKind::kTransaction) {
      ExecuteTransactionStatement(sql, words);
    } else if (!in_transaction() && words.writes.value_or(kind == engine::StatementKind::kWrite)) {
      ExecuteWrite(sql, words, sink);
    } else {
      Stream(sql, sink);
      if (in_transaction()) CheckStored(words);
    }
  } catch (const Error& raised) {
    const Error error = ExplainModelInput(raised);
    if (!error.where() || !error.where()->file.empty()) throw error;
    throw Unplaced(error).At(
        SpotAt(text, mapped.OriginalOffset(catalog::OffsetOf(sql, *error.where())), ""));
  }
}

void Session::ExecuteWrite(const std::string& sql, const EngineStatementText& words,
                           ResultSink& sink) {
  lake::WriteTransaction transaction(workspace_.lake, *connection_, "braid sql",
                                     options_.writer_wait);
  Stream(sql, sink);
  CheckStored(words);
  transaction.Commit("braid sql", sql.substr(0, 200), "{}");
}

void Session::ExecuteTransactionStatement(const std::string& text,
                                          const EngineStatementText& words) {
  const auto tokens = syntax::Lex(text, "");
  const bool begins = tokens[0].Is("BEGIN") || tokens[0].Is("START");
  if (begins && in_transaction())
    throw Error(ErrorCode::kInvalidTransaction, "A transaction is open already",
                "COMMIT or ROLLBACK it first");
  if (!begins && !in_transaction())
    throw Error(ErrorCode::kInvalidTransaction, "No transaction is open", "BEGIN opens one");
  if (begins) {
    // NOLINTNEXTLINE(modernize-make-unique): an aggregate whose guard does not move
    auto opened = std::unique_ptr<OpenTransaction>(
        new OpenTransaction{lake::ReadRegistry::Guard(workspace_.reads), nullptr});
    if (words.read_only_begin) {
      connection_->Execute(text);
    } else {
      opened->write = std::make_unique<lake::WriteTransaction>(
          workspace_.lake, *connection_, "a transaction of braid sql", options_.writer_wait);
    }
    transaction_ = std::move(opened);
    return;
  }
  // Whatever becomes of it, the transaction is over.
  const std::unique_ptr<OpenTransaction> ending = std::move(transaction_);
  const bool commits = tokens[0].Is("COMMIT") || tokens[0].Is("END");
  if (ending->write == nullptr) {
    connection_->Execute(text);
  } else if (commits) {
    ending->write->Commit("braid sql", "transaction", "{}");
  } else {
    ending->write->Rollback();
  }
}

void Session::CheckTarget(const EngineStatementText& words, const catalog::State& state) const {
  if (!words.target || words.temporary) return;
  const std::string schema = ToLower(words.target->schema);
  if (schema == "inference" || schema == "feedback" || schema == "braid")
    throw Error(ErrorCode::kNotSupported,
                fmt::format("Braid alone writes to this schema: {}", words.target->ToString()),
                "copy the rows into a table of your own: CREATE TABLE … AS SELECT …");
  const catalog::Object* object =
      state.FindTable(catalog::ObjectKey(*words.target, catalog::ObjectKind::kStreamingTable));
  if (object == nullptr) return;
  const bool view = object->kind == catalog::ObjectKind::kMaterializedView;
  if (!view && (words.use == TargetUse::kInsert || words.use == TargetUse::kChange)) return;
  if (object->owner == "project")
    throw Error(ErrorCode::kOwnedByProject,
                fmt::format("The project declares this {}: {}", catalog::KindName(object->kind),
                            object->key),
                fmt::format("change {} and braid run", object->file));
  throw Error(ErrorCode::kNotSupported,
              fmt::format("This statement does not fit a {}: {}", catalog::KindName(object->kind),
                          object->key),
              fmt::format("use DROP {0} or CREATE OR REFRESH {0}",
                          view ? "MATERIALIZED VIEW" : "STREAMING TABLE"));
}

void Session::CheckStored(const EngineStatementText& words) {
  const bool shapes = words.use == TargetUse::kCreate || words.use == TargetUse::kAlter;
  if (!shapes || words.temporary || words.view || !words.target) return;
  const std::string schema = words.target->schema.empty() ? "main" : words.target->schema;
  for (const lake::Column& column : lake::TableColumns(*connection_, schema, words.target->name))
    lake::CheckStorable(column.name, column.type);
}

void Session::Show(const std::string& query, ResultSink& sink) {
  const lake::ReadRegistry::Guard reads(workspace_.reads);
  Stream(query, sink);
}

void Session::Stream(const std::string& sql, ResultSink& sink) {
  // Only here: what commits or rolls back is not to be interrupted.
  const engine::InterruptOnStop interrupt(*connection_, stop_token());
  engine::Result result = connection_->Query(sql);
  if (!result.has_rows()) {
    while (result.Next()) {
    }
    if (result.rows_changed() > 0)
      sink.Notice(fmt::format("{} rows changed", result.rows_changed()));
    return;
  }
  sink.Begin(result.column_names(), result.column_types());
  while (const std::optional<engine::Chunk> chunk = result.Next()) sink.Rows(*chunk);
  sink.End();
}

}  // namespace braid::session
