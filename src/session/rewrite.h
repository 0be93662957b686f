// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.h"
#include "engine/connection.h"
#include "session/model_store.h"
#include "syntax/source_map.h"

namespace braid::session {

// What a rewrite resolves names against, and what it notes on its way.
struct RewriteContext {
  const catalog::State& state;
  ModelStore& models;
  // How STREAM sources are read; empty: STREAM is an error (outside a flow).
  std::function<std::string(const syntax::StreamReference&)> stream;
  // What `request` means inside a service's query that is expanded; set while expanding.
  std::map<std::string, int64_t> resolved_models;  // model → version, as used
  // Where the columns of rows are looked up; null: functions that need them are errors.
  engine::Connection* connection = nullptr;
  // The services that are being written out, the outermost first: none may come twice.
  std::vector<std::string> services = {};
};

// Turns a query with ML.* calls, STREAM references and services over tables into plain DuckDB SQL.
// Errors carry a position in `query`.
syntax::MappedText RewriteQuery(std::string_view query, RewriteContext& context);

}  // namespace braid::session
