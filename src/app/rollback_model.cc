// SPDX-License-Identifier: Apache-2.0
#include "app/rollback_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "lake/write_transaction.h"
#include "syntax/format.h"

namespace braid::app {

namespace {

// The versions that were champion, one after another.
std::vector<int64_t> ChampionHistory(engine::Connection& connection, const std::string& model) {
  std::vector<int64_t> history;
  for (const auto& row : connection.Rows(
           fmt::format("SELECT version FROM lake.braid.alias_event WHERE model = {} AND alias = "
                       "'champion' AND version IS NOT NULL ORDER BY \"at\", rowid",
                       syntax::QuoteString(model))))
    history.push_back(row[0].get<int64_t>());
  return history;
}

bool Exists(const catalog::State& state, const std::string& model, int64_t version) {
  const auto& versions = state.versions.at(model);
  return std::any_of(versions.begin(), versions.end(), [&](const catalog::ModelVersion& candidate) {
    return candidate.version == version;
  });
}

// The version that was champion when the present one was first made it.
int64_t Earlier(const catalog::State& state, const std::string& model, int64_t champion,
                const std::vector<int64_t>& history) {
  auto at = std::find(history.begin(), history.end(), champion);
  while (at != history.begin() && at != history.end())
    if (const int64_t version = *--at; version != champion && Exists(state, model, version))
      return version;
  throw Error(ErrorCode::kNotFound,
              fmt::format("No version was champion of {} before version {}", model, champion),
              "ROLLBACK MODEL m TO version names one; SHOW MODELS lists them");
}

}  // namespace

void RollbackModel(session::Session& session, const syntax::RollbackModel& statement,
                   session::ResultSink& sink) {
  session.RequireNoTransaction("ROLLBACK MODEL");
  session::Workspace& workspace = session.workspace();
  const auto connection = workspace.lake.Connect(lake::Scope::kRun);
  lake::WriteTransaction transaction(workspace.lake, *connection, "braid sql",
                                     session.options().writer_wait);
  catalog::State state = *workspace.catalog.Get();
  const catalog::ModelVersion& champion =
      state.Resolve({.name = statement.model, .alias = {}, .version = {}});
  const std::string model = champion.model;
  const int64_t version =
      statement.version
          ? state.Resolve({.name = statement.model, .alias = {}, .version = statement.version})
                .version
          : Earlier(state, model, champion.version, ChampionHistory(*connection, model));
  if (version == champion.version)
    return sink.Notice(fmt::format("version {} is champion of {} already", version, model));
  const std::string at = FormatUtc(workspace.lake.clock().NowMicros());
  const std::string reason = statement.reason.empty()
                                 ? fmt::format("ROLLBACK MODEL from version {}", champion.version)
                                 : statement.reason;
  catalog::AddAliasEvent(*connection, state,
                         {.model = model,
                          .alias = "champion",
                          .version = version,
                          .at = at,
                          .run_id = {},
                          .reason = reason});
  catalog::AddModelDecision(*connection, {.model = model,
                                          .version = version,
                                          .at = at,
                                          .run_id = {},
                                          .decision = "rollback",
                                          .condition = {},
                                          .outcome = true,
                                          .quantities = {},
                                          .reason = reason});
  transaction.Commit("braid sql", "ROLLBACK MODEL " + model, "{}");
  workspace.catalog.Publish(std::move(state));
  sink.Notice(fmt::format("{}@champion is version {} again", model, version));
}

}  // namespace braid::app
