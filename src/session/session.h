// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "catalog/catalog.h"
#include "engine/connection.h"
#include "lake/lake.h"
#include "lake/read_registry.h"
#include "session/engine_statement.h"
#include "session/model_store.h"
#include "syntax/statement.h"

namespace braid::session {

// Where results go. One result: Begin, Rows…, End.
class ResultSink {
 public:
  virtual ~ResultSink() = default;
  virtual void Begin(const std::vector<std::string>& names,
                     const std::vector<std::string>& types) = 0;
  virtual void Rows(const engine::Chunk& chunk) = 0;
  virtual void End() = 0;
  // A line for people (stderr): what was done, a warning.
  virtual void Notice(std::string_view text) = 0;
};

// What every session of a process shares.
struct Workspace {
  lake::Lake& lake;
  catalog::Catalog& catalog;
  ModelStore& models;
  lake::ReadRegistry& reads;
};

class Session;

// Braid's own statements are carried out by modules above; `app` registers this. `text` is the
// statement as written.
using StatementHandler = std::function<void(Session&, const syntax::Statement& statement,
                                            const std::string& text, ResultSink&)>;

struct SessionOptions {
  std::chrono::milliseconds writer_wait{60'000};
  std::string file_search_path;  // what relative paths in SQL mean; empty: the working directory
};

// The only door to SQL: recognises our statements, rewrites ML calls and services, and executes on
// one DuckDB connection. A statement that writes is its own lake transaction unless BEGIN opened
// one. One thread at a time, except Interrupt.
class Session {
 public:
  Session(Workspace workspace, StatementHandler handler, SessionOptions options = {});
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Runs every statement of a script in order; stops at the first error, which says where it lies
  // in `file`.
  void ExecuteScript(std::string_view script, const std::string& file, ResultSink& sink);
  bool in_transaction() const { return transaction_ != nullptr; }
  // Stops what runs now with kInterrupted. Any thread.
  void Interrupt();
  // Stops when Interrupt is called during this ExecuteScript.
  std::stop_token stop_token() const;

  Workspace& workspace() { return workspace_; }
  engine::Connection& connection() { return *connection_; }
  const SessionOptions& options() const { return options_; }
  // Throws kInvalidTransaction: for statements that commit on their own.
  void RequireNoTransaction(std::string_view what) const;
  // Runs a query of Braid's own making and sends its rows.
  void Show(const std::string& query, ResultSink& sink);

 private:
  struct OpenTransaction;
  void ExecuteStatement(const std::string& text, ResultSink& sink);
  void ExecuteEngine(const std::string& text, ResultSink& sink);
  void ExecuteTransactionStatement(const std::string& text, const EngineStatementText& words);
  void ExecuteWrite(const std::string& sql, const EngineStatementText& words, ResultSink& sink);
  void CheckTarget(const EngineStatementText& words, const catalog::State& state) const;
  void CheckStored(const EngineStatementText& words);
  void Stream(const std::string& sql, ResultSink& sink);

  Workspace workspace_;
  StatementHandler handler_;
  SessionOptions options_;
  std::unique_ptr<engine::Connection> connection_;
  std::unique_ptr<OpenTransaction> transaction_;
  mutable Mutex stop_mutex_;
  std::stop_source stop_ GUARDED_BY(stop_mutex_);
};

}  // namespace braid::session
