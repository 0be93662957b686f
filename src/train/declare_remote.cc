// SPDX-License-Identifier: Apache-2.0
#include "train/declare_remote.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "ml/remote/remote_model.h"
#include "syntax/format.h"

namespace braid::train {

namespace {

// With the types as DuckDB calls them.
std::vector<ml::RemoteColumn> Declared(engine::Connection& connection,
                                       const std::vector<syntax::ColumnDefinition>& columns) {
  std::vector<ml::RemoteColumn> declared;
  for (const syntax::ColumnDefinition& column : columns)
    declared.push_back(
        {column.name,
         connection.DescribeStatement(fmt::format("SELECT CAST(NULL AS {})", column.type))
             .column_types.at(0)});
  return declared;
}

std::string ExpressionOf(const ml::RemotePort& port) {
  const std::string value =
      fmt::format("CAST(__braid_row.{} AS {})", syntax::QuoteIdentifier(port.column), port.type);
  return port.is_list ? fmt::format("to_json({})", value) : value;
}

}  // namespace

ml::ModelOptions ParseRemoteOptions(const std::vector<Option>& options) {
  for (const Option& option : options)
    if (ToLower(option.name) == "model_type")
      throw Error(ErrorCode::kInvalidOption, "MODEL_TYPE is not for remote models",
                  "REMOTE WITH CONNECTION says what it is");
  std::vector<Option> all = options;
  all.push_back({"model_type", {std::string(ml::RemoteKind().name)}});
  return ml::ParseModelOptions(all);
}

session::StoredModel RemoteModelOf(const syntax::CreateModel& statement, session::Change& change,
                                   const session::ModelStore& models) {
  ml::RemoteParts parts = ml::ReadRemoteOptions(statement.options);
  parts.connection = statement.connection;
  const remote::Server& server = models.FindServer(parts.connection);
  const ml::RemoteModel asked(parts);
  const std::string metadata =
      server.Ask({.path = asked.Path(), .timeout = parts.timeout, .retries = parts.max_retries},
                 [&change] { return change.stop.stop_requested(); });
  parts.signature = ml::MatchSignature(metadata, Declared(change.connection, statement.inputs),
                                       Declared(change.connection, statement.outputs));
  if (!parts.signature.is_told && change.notice)
    change.notice(
        fmt::format("model {}: the server does not say what its model takes and gives; "
                    "INPUT and OUTPUT are taken as they are",
                    statement.name.ToString()));
  session::StoredModel stored;
  for (const ml::RemotePort& port : parts.signature.inputs)
    stored.projection.inputs.push_back(
        {port.column, ExpressionOf(port), ml::CarrierType(port) == "VARCHAR"});
  stored.core = std::make_shared<const ml::RemoteModel>(std::move(parts));
  return stored;
}

}  // namespace braid::train
